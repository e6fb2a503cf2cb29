#!/usr/bin/env bash
# A picture with curl alone: ask, follow how it is made, fetch it, and see whether it can be proven where it is from.
#
#     bash examples/curl.sh              leaves star.png in the folder you are in
#
# DARKROOM_URL is where the service is; DARKROOM_API_KEY your key, where it wants one.
set -euo pipefail

url=${DARKROOM_URL:-http://127.0.0.1:8000}

# The key goes through a file descriptor: arguments of a program can be read by every user of the machine.
ask() {
  if [ -n "${DARKROOM_API_KEY:-}" ]; then
    curl --silent --show-error --fail-with-body --header @<(echo "Authorization: Bearer $DARKROOM_API_KEY") "$@"
  else
    curl --silent --show-error --fail-with-body "$@"
  fi
}

# 202: a promise. `Location` is where the generation lives from now on. With an Idempotency-Key, asking twice makes one.
generation=$(ask --json '{"prompt": "a blue star on a yellow background", "seed": 7}' \
  --header "Idempotency-Key: $(date +%s)-$$" \
  --output /dev/null --write-out '%header{location}' "$url/api/v1/generations")
echo "asked: $generation"

# Events as they happen; the stream ends with the generation.
ask --no-buffer "$generation/events" | sed --unbuffered -n 's/^event: //p' | uniq

ask --location "$generation/images/0" --output star.png
echo "star.png"

# The credential in the file and the watermark in its pixels, looked at together.
ask --data-binary @star.png --header 'Content-Type: image/png' "$url/api/v1/provenance/verify" |
  grep --only-matching '"state":"[a-z]*"'
