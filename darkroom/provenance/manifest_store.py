"""The box that C2PA manifests lie in: a JUMBF superbox (ISO 19566-5) of a description and one superbox a manifest."""

import struct
from collections.abc import Iterator
from typing import Final

from darkroom.errors import StoreError

_HEAD: Final = struct.Struct(">I4s")  # length of the box, these eight bytes included, and its kind
_SUPERBOX: Final = b"jumb"


def only_active(store: bytes) -> bytes:
    """The store with its last manifest alone, which is the active one (C2PA 2.2, 11.1.4.2).

    Raises: StoreError for what is no store.
    """
    boxes = list(_boxes(store))
    if len(boxes) != 1 or boxes[0][0] != _SUPERBOX:
        raise StoreError("a stored manifest is damaged")
    parts = list(_boxes(boxes[0][1]))
    if len(parts) < 2:
        raise StoreError("a stored manifest is damaged")
    return _box(_SUPERBOX, _box(*parts[0]) + _box(*parts[-1]))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box. Boxes of 4 GB are not ours, so their longer head is not known here."""
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise StoreError("a stored manifest is damaged")
        length, kind = _HEAD.unpack_from(data, at)
        if not _HEAD.size <= length <= len(data) - at:
            raise StoreError("a stored manifest is damaged")
        yield kind, data[at + _HEAD.size : at + length]
        at += length


def _box(kind: bytes, content: bytes) -> bytes:
    return _HEAD.pack(_HEAD.size + len(content), kind) + content
