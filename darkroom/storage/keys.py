"""Which keys there can be: the same in every backend, and harmless as a path, a URL and a header."""

import re

from darkroom.errors import StoreError

MAX_KEY_CHARS = 512

# No leading dot: it keeps `.` and `..` out, and leaves hidden names to the backends.
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}"
_KEY = re.compile(rf"{_NAME}(?:/{_NAME})*")
_FILENAME = re.compile(_NAME)


def checked_key(key: str) -> str:
    """`key` as it is. Raises: StoreError for one that could mean anything but itself."""
    if len(key) > MAX_KEY_CHARS or not _KEY.fullmatch(key):
        raise StoreError("a key is names of letters, digits, '.', '_' and '-', separated by '/'")
    return key


def checked_filename(filename: str) -> str:
    """`filename` as it is, safe inside a quoted header parameter. Raises: StoreError."""
    if not _FILENAME.fullmatch(filename):
        raise StoreError("a file name is letters, digits, '.', '_' and '-'")
    return filename
