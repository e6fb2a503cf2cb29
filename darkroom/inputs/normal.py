"""Any picture we take -> the one form in which inputs are kept: PNG, 8 bits, RGB or RGBA, upright, without metadata."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from darkroom.contract.start import PictureRef
from darkroom.errors import BadPicture
from darkroom.provenance.pictures import MULTI_PICTURE, Undecodable, eight_bits, opened

Pixels = NDArray[np.uint8]  # H W 3 or H W 4

MAX_PIXELS: Final = 4096 * 3072  # of a telephone; more would take more than 200 MB
MEDIA_TYPE: Final = "image/png"
# Inputs are read once or twice: little time for a few percent more bytes.
_PNG_EFFORT: Final = 1


@dataclass(frozen=True)
class Kept:
    """A picture in our form, as it is kept, and what leads back to it.

    `original` is the file that was sent, where it seems to bear a content credential; else empty.
    """

    png: bytes
    ref: PictureRef
    original: bytes = field(default=b"", kw_only=True, repr=False)


@dataclass(frozen=True)
class Normal(Kept):
    """The same, decoded."""

    pixels: Pixels

    def packed(self) -> Kept:
        """Without the pixels, which take much more memory."""
        return Kept(self.png, self.ref, original=self.original)


def normalise(data: bytes) -> Normal:
    """Decode and encode anew. CPU work of up to a second: not for an event loop. Raises: BadPicture."""
    picture = opened(data)
    _check_header(picture)
    try:
        pixels = _pixels(picture)
    except Exception as error:  # decoders of hostile bytes raise anything
        raise Undecodable("the picture is damaged and cannot be decoded") from error
    kept = packed(pixels)
    return Normal(kept.png, kept.ref, pixels, original=_credited(data))


def packed(pixels: Pixels) -> Kept:
    """Pixels of our own in the form that inputs are kept in. CPU work, as `normalise`."""
    png = _encode(pixels)
    height, width = pixels.shape[:2]
    return Kept(png, PictureRef(sha256=hashlib.sha256(png).hexdigest(), width=width, height=height))


def stored(png: bytes) -> Normal:
    """What `normalise` once made of a picture. Raises: BadPicture for bytes it did not make."""
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED) if png else None
    if pixels is None or pixels.ndim != 3 or pixels.dtype != np.uint8:
        raise BadPicture("the stored picture is damaged")
    height, width, channels = pixels.shape
    rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGBA)
    ref = PictureRef(sha256=hashlib.sha256(png).hexdigest(), width=width, height=height)
    return Normal(png, ref, np.asarray(rgb, np.uint8))


def _credited(data: bytes) -> bytes:
    """The file, if it has what every C2PA manifest has in it (a JUMBF box, ISO 19566-5). Nothing is parsed here."""
    return data if b"jumb" in data and b"c2pa" in data else b""


def flatten(pixels: Pixels, ground: int) -> Pixels:
    """H W 3: the picture over a ground of this grey, where it is transparent."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    mixed = pixels[..., :3] * alpha + ground * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _check_header(picture: Image.Image) -> None:
    """Before a pixel is decoded. Raises: BadPicture."""
    if picture.width * picture.height > MAX_PIXELS:
        raise BadPicture(f"the picture has more than {MAX_PIXELS} pixels")
    if picture.format != MULTI_PICTURE and getattr(picture, "n_frames", 1) > 1:
        raise BadPicture("the picture is animated: send one frame of it")


def _pixels(picture: Image.Image) -> Pixels:
    """H W 3, or H W 4 where parts are transparent. Copies are large, so none is made that is not needed."""
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I"):
        return np.repeat(eight_bits(np.asarray(picture))[..., None], 3, axis=2)
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    return np.asarray(picture if picture.mode == mode else picture.convert(mode))


def _encode(pixels: Pixels) -> bytes:
    order = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    _, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, order), [cv2.IMWRITE_PNG_COMPRESSION, _PNG_EFFORT])
    return bytes(encoded.tobytes())
