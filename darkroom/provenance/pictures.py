"""Reading pictures that strangers send: what they claim to be is checked before a pixel is decoded."""

import io
import warnings
from typing import Final

import numpy as np
from PIL import Image

from darkroom.errors import BadPicture
from darkroom.provenance.watermark import RGB

MEDIA_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
MAX_PIXELS: Final = 40_000_000
MIN_SIDE: Final = 8
WORKING_SIDE: Final = 2048  # pixels of the short side beyond which nothing more can be read


class Undecodable(BadPicture):
    """The header is a picture's, the rest is not."""


def media_type(data: bytes) -> str:
    """What these bytes are, from their header alone. Raises: BadPicture."""
    return MEDIA_TYPES[_opened(data).format or ""]


def decode(data: bytes) -> RGB:
    """The pixels, over black where transparent, smaller by a whole factor when huge.

    Raises: BadPicture; Undecodable when the header is sound.
    """
    picture = _opened(data)
    try:
        picture.load()
        factor = min(picture.size) // WORKING_SIDE
        return np.asarray((picture.reduce(factor) if factor > 1 else picture).convert("RGB"))
    except Exception as error:  # decoders of hostile bytes raise anything
        raise Undecodable("the picture is damaged and cannot be decoded") from error


def _opened(data: bytes) -> Image.Image:
    """The picture with its header read and judged, and nothing else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=tuple(MEDIA_TYPES))
    except Exception as error:
        raise BadPicture("not a PNG, JPEG or WebP picture") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise BadPicture(f"the picture has more than {MAX_PIXELS // 1_000_000} megapixels")
    if min(picture.size) < MIN_SIDE:
        raise BadPicture(f"the picture has fewer than {MIN_SIDE} pixels on a side")
    return picture
