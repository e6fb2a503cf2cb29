"""Bytes of the attacks' table that cannot be written down, by the names its rows use."""

import gzip
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from PIL import Image

from tests.security import test_bodies, test_verify_pictures
from tests.security.test_verify_pictures import PICTURE, chunk, saved
from tests.unit.provenance.making import encoded, shapes

MIB: Final = 1024 * 1024
BOMB: Final = 200 * MIB
Request = tuple[str, dict[str, str], bytes, int]


def prompt_of(size: int) -> bytes:
    return b'{"prompt":"' + b"x" * size + b'"}'


def spaces_without_end() -> Iterator[bytes]:
    """Chunks of a chunked body, until whoever reads hangs up."""
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    while True:
        yield piece


MAKERS: Final[dict[str, Callable[[], Any]]] = {
    "nothing": bytes,
    "sixty-four megabytes of prompt": lambda: prompt_of(64 * MIB),
    "a megabyte of angle brackets": lambda: b'{"prompt":"' + b"<lora:" * 170_000 + b'"}',
    "spaces without end": spaces_without_end,
    "a gzip bomb": lambda: gzip.compress(bytes(50 * MIB), 9),
    "a thousand pictures for a map": lambda: b'{"controlnet_images":["aGk="' + b',"aGk="' * 999 + b"]}",
    "five thousand options": lambda: b'{"a":1' + b"".join(b',"o%d":1' % number for number in range(5_000)) + b"}",
}


def _bodies() -> dict[str, Request]:
    json = {"Content-Type": test_bodies.JSON}
    return {
        name: (test_bodies.GENERATIONS, json, body.replace(b"%s", test_bodies.CANARY), status)
        for name, (body, status) in test_bodies.REQUESTS.items()
    }


def _forms() -> dict[str, Request]:
    return {
        name: (
            test_bodies.VERIFY,
            {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"},
            body,
            status,
        )
        for name, (boundary, body, status) in test_bodies.FORMS.items()
    }


CORPORA: Final[dict[str, dict[str, Request]]] = {"bodies": _bodies(), "forms": _forms()}


def png(width: int, height: int, bits: int, colour: int, *pixels: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(pixels)) + chunk(b"IEND", b"")


def vast(side: int) -> bytes:
    """A real picture: every pixel is there, and they are all alike."""
    packer = zlib.compressobj(9)
    rows = [packer.compress(bytes(1 + side // 8)) for _ in range(side)]
    return png(side, side, 1, 0, *rows, packer.flush())


def inflating(kind: bytes, head: bytes) -> bytes:
    """A picture with a chunk whose contents are a thousand times what they seem."""
    data = encoded(shapes(96, 96))
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(b"x" * MIB) for _ in range(BOMB // MIB)) + packer.flush()
    return data[:33] + chunk(kind, head + body) + data[33:]


def wordy(count: int) -> bytes:
    data = encoded(shapes(96, 96))
    return data[:33] + chunk(b"tEXt", b"a\0b") * count + data[33:]


def half_a_pair() -> bytes:
    data = encoded(shapes(96, 96))
    return data[:33] + chunk(b"tEXt", b'parameters\0a\nSteps: 1, Seed: 2, Note: "\\ud800"') + data[33:]


def empty_pixels(count: int) -> bytes:
    data = encoded(shapes(96, 96))
    return data[:33] + chunk(b"IDAT", b"") * count + data[33:]


def remarked(count: int) -> bytes:
    data = saved(PICTURE, "JPEG")
    return data[:2] + b"\xff\xfe\0\x02" * count + data[2:]


def filled(count: int) -> bytes:
    """FF before a marker may be repeated."""
    data = saved(PICTURE, "JPEG")
    return data[:2] + b"\xff" * count + data[2:]


def started(count: int) -> bytes:
    """The mark of a beginning, again and again: it has no length."""
    data = saved(PICTURE, "JPEG")
    return data[:2] * count + data[2:]


def scanned(count: int) -> bytes:
    """A progressive picture of twelve megapixels whose last scan comes again and again: each goes over all of it."""
    data = saved(Image.new("L", (4096, 3072), "grey"), "JPEG", progressive=True, quality=20)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def jpeg_of(side: int) -> bytes:
    """A head that claims a size, and no pixels."""
    frame = struct.pack(">BHHB", 8, side, side, 3) + b"\x01\x11\0\x02\x11\0\x03\x11\0"
    app = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    return b"\xff\xd8" + app + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xda\0\x08"


def webp_of(side: int) -> bytes:
    """An extended head that claims a canvas, and a lossless picture that claims as much."""
    measure = struct.pack("<I", side - 1)[:3]
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + measure + measure
    bits = (side - 1) | (side - 1) << 14
    pixels = b"VP8L" + struct.pack("<I", 5) + b"\x2f" + struct.pack("<I", bits) + b"\0"
    return b"RIFF" + struct.pack("<I", 4 + len(canvas) + len(pixels)) + b"WEBP" + canvas + pixels


def many_frames(count: int) -> bytes:
    first, buffer = Image.new("L", (16, 16), 0), io.BytesIO()
    others = [Image.new("L", (16, 16), index % 255 + 1) for index in range(count - 1)]
    first.save(buffer, "PNG", save_all=True, append_images=others)
    return buffer.getvalue()


def with_another_behind() -> bytes:
    return saved(PICTURE, "MPO", save_all=True, append_images=[PICTURE.rotate(90)])


PICTURES: Final[dict[str, Callable[[], bytes]]] = {
    **test_verify_pictures.SEEN,
    **test_verify_pictures.REFUSED,
    "small": lambda: saved(PICTURE, "PNG"),
    "13,000 squared": lambda: vast(13_000),
    "a JPEG of 30,000 squared": lambda: jpeg_of(30_000),
    "a WebP of 16,000 squared": lambda: webp_of(16_000),
    "zTXt that inflates": lambda: inflating(b"zTXt", b"x\0\0"),
    "iTXt that inflates": lambda: inflating(b"iTXt", b"x\0\x01\0\0\0"),
    "iCCP that inflates": lambda: inflating(b"iCCP", b"x\0\0"),
    "half a million words": lambda: wordy(500_000),
    "half a surrogate pair": half_a_pair,
    "a million empty chunks of pixels": lambda: empty_pixels(1_000_000),
    "two million remarks": lambda: remarked(2_000_000),
    "eight megabytes of filling": lambda: filled(8_000_000),
    "four million beginnings": lambda: started(4_000_000),
    "four thousand scans": lambda: scanned(4_000),
    "two thousand frames": lambda: many_frames(2_000),
    "a JPEG with another behind it": with_another_behind,
    "grey and alpha": lambda: saved(PICTURE.convert("LA"), "PNG"),
    "a page": lambda: b"<!doctype html><title>a</title><script>alert(1)</script>",
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "PSD": lambda: b"8BPS\0\x01" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(100),
    "FITS": lambda: b"SIMPLE  =                    T".ljust(80) + bytes(2_800),
}
