#!/bin/sh
# Signs standard input by a key of AWS KMS (ECC_NIST_P256, usage SIGN_VERIFY). Not run by darkroom's own tests.
# DARKROOM_SIGNING_COMMAND='["/etc/darkroom/aws-kms.sh", "alias/darkroom"]'
# DARKROOM_SIGNING_COMMAND_VARIABLES='["AWS_REGION", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"]'
#
# The digest is sent, not the claim: KMS takes messages of 4096 bytes at most. Its answer is DER, which darkroom unwraps.
set -eu
umask 077
digest=$(mktemp)
trap 'rm -f "$digest"' EXIT
openssl dgst -sha256 -binary >"$digest"
answer=$(aws kms sign --key-id "$1" --message-type DIGEST --message "fileb://$digest" \
    --signing-algorithm ECDSA_SHA_256 --output text --query Signature)
printf %s "$answer" | base64 -d
