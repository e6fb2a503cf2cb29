"""Reading pictures that strangers send: what they claim to be is checked before a pixel is decoded."""

import io
import math
import warnings
from contextlib import suppress
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from darkroom.errors import BadPicture
from darkroom.provenance.parts import refuse_many_parts
from darkroom.provenance.watermark import RGB

MEDIA_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
# Of a JPEG with more pictures behind it, as telephones write: only the first counts.
MULTI_PICTURE: Final = "MPO"
MOST_BYTES: Final = 185_000_000  # of memory for one picture, its file included, whatever it is
# Of the worst kind: alpha, progressive CMYK, animated.
BYTES_PER_PIXEL: Final = {"PNG": 8, "JPEG": 8, MULTI_PICTURE: 8, "WEBP": 16}
BYTES_PER_PIXEL_OF_THREE: Final = 6  # of a JPEG that is not CMYK
MIN_SIDE: Final = 8
MOST_OBLONG: Final = 32  # times as long as wide
WORKING_SIDE: Final = 1024  # pixels of the short side beyond which nothing more can be read
WORKING_PIXELS: Final = 8_000_000

_UPRIGHT: Final = 1  # EXIF 3.0, 4.6.5.1.4, as the following
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Hostile pictures make Pillow warn in words of their own, which would fill the log and the registry of warnings.
# Nothing narrower will do: `catch_warnings` is not for threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


class Undecodable(BadPicture):
    """The header is a picture's, the rest is not."""


def media_type(data: bytes) -> str:
    """What these bytes are, from their header alone. Raises: BadPicture."""
    kind = opened(data).format or ""
    return MEDIA_TYPES["JPEG" if kind == MULTI_PICTURE else kind]


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header alone. Raises: BadPicture."""
    return opened(data).size


def decode(data: bytes) -> RGB:
    """The pixels as a viewer shows them, over black where transparent, smaller by a whole factor where large.

    Raises: BadPicture; Undecodable when the header is sound.
    """
    picture = opened(data)
    try:
        orientation = _orientation(picture)
        plain = _plain(_reduced(picture))
        return np.asarray(plain.transpose(_TURNS[orientation]) if orientation in _TURNS else plain)
    except Exception as error:  # decoders of hostile bytes raise anything
        raise Undecodable("the picture is damaged and cannot be decoded") from error


def opened(data: bytes) -> Image.Image:
    """The picture with its header read and judged, and nothing else. Raises: BadPicture."""
    refuse_many_parts(data)
    try:
        picture = Image.open(io.BytesIO(data), formats=tuple(MEDIA_TYPES))
    except Exception as error:
        raise BadPicture("not a PNG, JPEG or WebP picture") from error
    _refuse_too_large(picture, len(data))
    if min(picture.size) < MIN_SIDE:
        raise BadPicture(f"the picture has fewer than {MIN_SIDE} pixels on a side")
    if max(picture.size) > MOST_OBLONG * min(picture.size):
        raise BadPicture(f"the picture is more than {MOST_OBLONG} times as long as wide")
    return picture


def _refuse_too_large(picture: Image.Image, file_bytes: int) -> None:
    each = BYTES_PER_PIXEL[picture.format or ""]
    if picture.format in ("JPEG", MULTI_PICTURE) and picture.mode != "CMYK":
        each = BYTES_PER_PIXEL_OF_THREE
    most_pixels = max(0, MOST_BYTES - file_bytes) // each
    if picture.width * picture.height > most_pixels:
        kind = f"a {picture.format} picture of {math.ceil(file_bytes / 1_000_000)} MB"
        raise BadPicture(f"{kind} may have at most {most_pixels / 1_000_000:.1f} megapixels")


def _reduced(picture: Image.Image) -> Image.Image:
    """Decoded, in a mode of 8 bits that can be averaged; JPEG is decoded smaller, which saves the memory too."""
    factor = _factor(picture)
    picture.draft(None, (picture.width // factor, picture.height // factor))
    picture.load()
    if picture.mode.startswith("I"):
        picture = Image.fromarray(eight_bits(np.asarray(picture)))
    elif picture.mode in ("P", "1"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    factor = _factor(picture)
    return picture.reduce(factor) if factor > 1 else picture


def _factor(picture: Image.Image) -> int:
    too_many = math.ceil(math.sqrt(picture.width * picture.height / WORKING_PIXELS))
    return max(1, too_many, min(picture.size) // WORKING_SIDE)


def eight_bits(grey_HW: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Sixteen bits of grey to eight; Pillow's own way clips all but the darkest 256 of 65,536 greys to white."""
    return ((grey_HW.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _plain(picture: Image.Image) -> Image.Image:
    """RGB without alpha. What is transparent is not seen, so it must not be read either."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    black = Image.new("RGBA", seen.size, "black")
    return Image.alpha_composite(black, seen).convert("RGB")


def _orientation(picture: Image.Image) -> int:
    """As EXIF says; EXIF that cannot be read says nothing."""
    with suppress(Exception):
        return int(picture.getexif().get(ExifTags.Base.Orientation, _UPRIGHT))
    return _UPRIGHT
