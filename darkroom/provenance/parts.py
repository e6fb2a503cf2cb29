"""How many parts a picture's file has, counted before a decoder that handles each in Python, or decodes for each.

Half a million empty chunks of a PNG took Pillow seconds, and so do segments, filling bytes and scans of a JPEG: a few
bytes each. Files that people have keep far below these numbers; a C2PA manifest or a colour profile has some hundred.
"""

import re
from collections.abc import Iterator
from typing import Final

from darkroom.errors import BadPicture

MOST_CHUNKS: Final = 2_000  # of a PNG, besides those that hold its pixels
MOST_PIXEL_CHUNKS: Final = 50_000  # of 8 KB each in most files
MOST_SEGMENTS: Final = 5_000  # of a JPEG, before its pixels; 64 KB of manifest or profile fit into one
MOST_SCANS: Final = 100  # of a JPEG: each goes over the whole picture; encoders make ten

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_SCAN: Final = b"\xff\xda"
_END: Final = b"\xff\xd9"
# Neither a byte of a scan that happens to be FF, nor filling, nor a restart.
_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Without a length behind them, or read by Pillow as if they had none.
_BARE: Final = frozenset((0x01, 0xC8, 0xCC, 0xD8, 0xD9, *range(0xF0, 0xFE)))


def refuse_many_parts(data: bytes) -> None:
    """Takes milliseconds, whatever the bytes. Raises: BadPicture."""
    if data.startswith(_PNG):
        _count_chunks(data)
    elif data.startswith(_JPEG):
        _count_segments(data)


def _count_chunks(data: bytes) -> None:
    others, pixels = 0, 0
    for kind in _chunks(data):
        others, pixels = (others, pixels + 1) if kind == b"IDAT" else (others + 1, pixels)
        if others > MOST_CHUNKS or pixels > MOST_PIXEL_CHUNKS:
            raise BadPicture("the picture consists of too many chunks")


def _chunks(data: bytes) -> Iterator[bytes]:
    """PNG (W3C), 5.3: length, type, data and checksum."""
    place = len(_PNG)
    while place + 8 <= len(data):
        yield data[place + 4 : place + 8]
        place += 12 + int.from_bytes(data[place : place + 4])


def _count_segments(data: bytes) -> None:
    segments, scans = 0, 0
    for marker, between in _markers(data):
        # Before the first scan, what lies between segments is looked at byte by byte.
        segments += 1 + (0 if scans else between)
        scans += marker == _SCAN
        if segments > MOST_SEGMENTS or scans > MOST_SCANS:
            raise BadPicture("the picture consists of too many segments or scans")
        if scans and marker == _END:
            return


def _markers(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Every marker, and how many bytes lie between it and the one before. ITU-T T.81, B.1.1.2 to 5."""
    place = len(_JPEG)
    while found := _MARKER.search(data, place):
        yield found[0], found.start() - place
        length = 0 if found[0][1] in _BARE else int.from_bytes(data[found.end() : found.end() + 2])
        place = found.end() + length
