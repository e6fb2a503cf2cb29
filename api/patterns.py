"""The forms of ids and names in requests, as regular expressions."""

# ULID
JOB_ID_PATTERN = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
# What a Redis stream id looks like; nineteen digits always fit its 64 bits.
EVENT_ID_PATTERN = r"^[0-9]{1,19}(-[0-9]{1,19})?$"
# Of an Idempotency-Key.
KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"
