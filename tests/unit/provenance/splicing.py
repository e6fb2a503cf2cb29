"""Taking a credential out of one file and putting it into another, in each format, with the file sound otherwise."""

import struct
import zlib
from collections.abc import Iterator

_RIFF = 12  # bytes: RIFF, length, WEBP


def spliced(credential_of: bytes, pixels_of: bytes, output_format: str) -> bytes:
    """The second file, without metadata of its own, with the credential of the first."""
    return _INTO[output_format](_TAKE[output_format](credential_of), pixels_of)


def _png_chunks(data: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(data):
        length = 12 + struct.unpack_from(">I", data, at)[0]
        yield data[at : at + length]
        at += length


def _from_png(data: bytes) -> bytes:
    (chunk,) = (chunk for chunk in _png_chunks(data) if chunk[4:8] == b"caBX")
    assert struct.unpack(">I", chunk[-4:])[0] == zlib.crc32(chunk[4:-4])
    return chunk


def _into_png(chunk: bytes, data: bytes) -> bytes:
    header, *others = (each for each in _png_chunks(data) if each[4:8] != b"caBX")
    return data[:8] + header + chunk + b"".join(others)


def _jpeg_segments(data: bytes) -> Iterator[bytes]:
    """Those before the scan, and then all the rest as one."""
    at = 2
    while data[at + 1] != 0xDA:
        length = 2 + struct.unpack_from(">H", data, at + 2)[0]
        yield data[at : at + length]
        at += length
    yield data[at:]


def _from_jpeg(data: bytes) -> bytes:
    return b"".join(segment for segment in _jpeg_segments(data) if segment[1] == 0xEB)  # APP11


def _into_jpeg(segments: bytes, data: bytes) -> bytes:
    """Behind APP0, where it lies in files of ours: what is signed says where."""
    first, *others = (segment for segment in _jpeg_segments(data) if segment[1] != 0xEB)
    assert first[1] == 0xE0
    return data[:2] + first + segments + b"".join(others)


def _webp_chunks(data: bytes) -> Iterator[bytes]:
    at = _RIFF
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        length += 8 + length % 2
        yield data[at : at + length]
        at += length


def _from_webp(data: bytes) -> bytes:
    (chunk,) = (chunk for chunk in _webp_chunks(data) if chunk[:4] == b"C2PA")
    return chunk


def _into_webp(chunk: bytes, data: bytes) -> bytes:
    body = b"WEBP" + b"".join(each for each in _webp_chunks(data) if each[:4] != b"C2PA") + chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body


_TAKE = {"png": _from_png, "jpeg": _from_jpeg, "webp": _from_webp}
_INTO = {"png": _into_png, "jpeg": _into_jpeg, "webp": _into_webp}
