"""Pictures as strangers send them: a viewer's pixels, or a refusal, soon and without much memory."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import BadPicture
from darkroom.provenance.pictures import (
    BYTES_PER_PIXEL,
    BYTES_PER_PIXEL_OF_THREE,
    MOST_BYTES,
    MOST_OBLONG,
    WORKING_SIDE,
    Undecodable,
    decode,
    media_type,
    size,
)
from tests.unit.provenance.making import RGB, encoded, resized, shapes

PICTURE = shapes(96, 128)
FILE_BYTES = 6_000_000  # of the largest pictures made here


def png_header(width: int, height: int) -> bytes:
    """A PNG of which there is nothing but the size."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def near(one: RGB, other: RGB, levels: float = 3.0) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(int) - other).mean()) < levels


@pytest.mark.parametrize(("media", "kind"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_a_picture_is_known_by_its_bytes(media: str, kind: str) -> None:
    data = encoded(PICTURE, media)
    assert media_type(data) == kind
    assert size(data) == (128, 96)
    assert near(decode(data), PICTURE)


@pytest.mark.parametrize(
    ("mode", "levels"), [("L", 40.0), ("P", 20.0), ("RGBA", 0.1), ("LA", 40.0), ("1", 120.0), ("I;16", 40.0)]
)
def test_every_kind_of_png_is_seen_as_viewers_show_it(mode: str, levels: float) -> None:
    picture = Image.fromarray(PICTURE)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    else:
        picture = picture.convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    seen = decode(buffer.getvalue())
    assert near(seen, PICTURE, levels)
    assert near(seen, np.asarray(picture.convert("RGB"))) or mode == "I;16"


def test_sixteen_bits_of_grey_become_the_nearest_eight() -> None:
    grey = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(decode(encoded(grey))[..., 1], np.round(grey / 257))


def test_a_cmyk_jpeg_is_seen_in_rgb() -> None:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).convert("CMYK").save(buffer, "JPEG", quality=95)
    assert near(decode(buffer.getvalue()), PICTURE, 6)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_not_seen(mode: str) -> None:
    """Else a picture could hide beneath another, and be recognised there."""
    picture = Image.fromarray(PICTURE).convert("RGBA")
    picture.putalpha(0)
    buffer = io.BytesIO()
    if mode == "P":
        Image.fromarray(PICTURE).quantize(16).save(buffer, "PNG", transparency=bytes(16))
    else:
        picture.convert(mode).save(buffer, "PNG")
    assert decode(buffer.getvalue()).max() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(orientation: int) -> None:
    turn: Any = {
        1: lambda rgb: rgb,
        2: lambda rgb: rgb[:, ::-1],
        3: lambda rgb: rgb[::-1, ::-1],
        4: lambda rgb: rgb[::-1],
        5: lambda rgb: rgb.transpose(1, 0, 2),
        6: lambda rgb: np.rot90(rgb, 3),
        7: lambda rgb: rgb[::-1, ::-1].transpose(1, 0, 2),
        8: lambda rgb: np.rot90(rgb),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert near(decode(encoded(PICTURE, "JPEG", quality=95, exif=exif)), turn(PICTURE))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 64])
def test_exif_that_cannot_be_read_says_nothing(exif: bytes) -> None:
    assert near(decode(encoded(PICTURE, "JPEG", quality=95, exif=exif)), PICTURE)


@pytest.mark.slow
def test_pillow_does_not_warn_about_what_strangers_send() -> None:
    """In an interpreter of its own: pytest lays its own filters over those of the process."""
    data = encoded(PICTURE, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    program = "import sys; from darkroom.provenance.pictures import decode; decode(sys.stdin.buffer.read())"
    ended = subprocess.run([sys.executable, "-W", "always", "-c", program], input=data, capture_output=True)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_is_none_says_nothing(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert near(decode(encoded(PICTURE, "JPEG", quality=95, exif=exif)), PICTURE)


@pytest.mark.parametrize("media", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_seen(media: str) -> None:
    buffer = io.BytesIO()
    others = [Image.fromarray(shapes(96, 128, seed)) for seed in (1, 2)]
    Image.fromarray(PICTURE).save(buffer, media, save_all=True, append_images=others, lossless=True)
    assert near(decode(buffer.getvalue()), PICTURE)


@pytest.mark.parametrize("media", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_picture_that_breaks_off_cannot_be_decoded(media: str, share: float) -> None:
    data = encoded(PICTURE, media)
    with pytest.raises(BadPicture):
        decode(data[: int(len(data) * share)])


def test_a_damaged_picture_with_a_sound_header_is_told_apart() -> None:
    data = encoded(PICTURE)
    assert media_type(data[:100]) == "image/png"
    with pytest.raises(Undecodable):
        decode(data[:100])


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", b"II*\0", b"%PDF-1.7", b"<svg/>", b"\0" * 4096, b"\x89PNG"],
)
def test_what_is_no_picture_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(BadPicture, match="not a PNG, JPEG or WebP"):
        decode(data)


@pytest.mark.parametrize(
    ("width", "height"), [(4900, 4900), (2**31 - 1, 2**31 - 1), (65_535, 65_535), (20_000, 10_000), (5001, 5000)]
)
def test_a_picture_too_large_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(BadPicture, match=r"megapixels|not a PNG"):
        decode(png_header(width, height))


@pytest.mark.parametrize(("width", "height"), [(7, 100), (100, 7), (0, 100), (100, 3300)])
def test_a_picture_too_small_or_too_long_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(BadPicture, match=r"pixels on a side|as long as wide|not a PNG"):
        decode(png_header(width, height))
    assert max(height, 1) / max(width, 1) > MOST_OBLONG or min(width, height) < 8


@pytest.mark.slow
@pytest.mark.parametrize("media", ["PNG", "JPEG", "WEBP"])
def test_a_large_picture_is_seen_smaller_by_a_whole_factor(media: str) -> None:
    large = resized(shapes(256, 320), 8)
    seen = decode(encoded(large, media))
    assert seen.shape == (WORKING_SIDE, 1280, 3)
    assert near(seen, resized(large, 0.5))
    assert size(encoded(large, media)) == (2560, 2048)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("media", "mode"),
    [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGBA")],
)
@pytest.mark.parametrize("oblong", [1, 20])
def test_no_picture_takes_more_memory_than_it_may(media: str, mode: str, oblong: int) -> None:
    """Measured as the high-water mark of resident memory, in which the libraries' own memory counts."""
    data = saved_large(media, mode, oblong, FILE_BYTES)
    if len(data) > FILE_BYTES:  # a file's own bytes leave less room for its pixels
        data = saved_large(media, mode, oblong, len(data))
    before = high_water(reset=True)
    decode(data)
    assert high_water() - before < 1.15 * MOST_BYTES


def saved_large(media: str, mode: str, oblong: int, file_bytes: int) -> bytes:
    """The largest picture that is let in if its file has `file_bytes`."""
    each = BYTES_PER_PIXEL_OF_THREE if (media, mode) == ("JPEG", "RGB") else BYTES_PER_PIXEL[media]
    pixels = (MOST_BYTES - file_bytes) // each
    width = int((pixels / oblong) ** 0.5) - 1
    tile = np.tile(shapes(64, 64), (-(-width * oblong // 64), -(-width // 64), 1))[: width * oblong, :width]
    buffer = io.BytesIO()
    options = {"JPEG": {"progressive": True, "subsampling": 0}, "WEBP": {"method": 0}}.get(media, {})
    Image.fromarray(tile).convert(mode).save(buffer, media, **options)
    return buffer.getvalue()


def high_water(*, reset: bool = False) -> int:
    """Bytes."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
