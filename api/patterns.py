"""The forms of ids and names in requests, as regular expressions."""

# ULID
JOB_ID_PATTERN = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
# What a Redis stream id looks like; nineteen digits always fit its 64 bits.
EVENT_ID_PATTERN = r"^[0-9]{1,19}(-[0-9]{1,19})?$"
# Of an Idempotency-Key.
KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"
# The id of a delivery: a job's, and a count.
DELIVERY_ID_PATTERN = r"^msg_[0-7][0-9A-HJKMNP-TV-Z]{25}_[1-9][0-9]{0,9}$"
DELIVERY_CURSOR_PATTERN = r"^[0-9]{1,15}\.msg_[0-7][0-9A-HJKMNP-TV-Z]{25}_[1-9][0-9]{0,9}$"
# RFC 3339, with a zone.
MOMENT_PATTERN = (
    r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][01][0-9]:[0-5][0-9])$"
)
