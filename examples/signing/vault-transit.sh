#!/bin/sh
# Signs standard input by a key of Vault's transit engine (type ecdsa-p256). Not run by darkroom's own tests.
# DARKROOM_SIGNING_COMMAND='["/etc/darkroom/vault-transit.sh", "darkroom"]'
# DARKROOM_SIGNING_COMMAND_VARIABLES='["VAULT_ADDR", "VAULT_CACERT"]', and the token in ~/.vault-token
set -eu
digest=$(openssl dgst -sha256 -binary | base64 -w 0)
answer=$(vault write -field=signature "transit/sign/$1/sha2-256" prehashed=true marshaling_algorithm=asn1 \
    input="$digest")
# vault:v1:<base64>
printf %s "${answer##*:}" | base64 -d
