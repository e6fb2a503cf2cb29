"""From pixels to a file that says, in plain XMP, that an algorithm made it. Signed afterwards, words and all."""

import io
from typing import Final

from PIL import Image

from darkroom.contract.plan import OutputFormat
from darkroom.errors import GenerationError
from darkroom.infotext.places import EXIF_IFD, USER_COMMENT, user_comment
from darkroom.provenance.png import write_png
from darkroom.provenance.watermark import RGB

_WEBP_EFFORT: Final = 2  # of 0..6: a quarter of the default's time for a few percent more bytes


def encode(rgb_HWC: RGB, output_format: OutputFormat, quality: int, xmp: bytes, text: str = "") -> bytes:
    """A file with `xmp` in it, and A1111's `text` where that has its place. `quality` is 0..100 for JPEG and WebP; PNG
    has none. Raises: GenerationError."""
    try:
        if output_format == "png":
            return write_png(rgb_HWC, xmp, text)
        return _lossy(rgb_HWC, output_format, quality, {"xmp": xmp, "exif": _exif(text)})
    except (OSError, ValueError) as error:
        raise GenerationError(f"the picture could not be encoded as {output_format}") from error


def _lossy(rgb_HWC: RGB, output_format: OutputFormat, quality: int, words: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(rgb_HWC)
    if output_format == "jpeg":
        picture.save(buffer, "JPEG", quality=quality, **words)
    else:
        picture.save(buffer, "WEBP", quality=quality, method=_WEBP_EFFORT, **words)
    return buffer.getvalue()


def _exif(text: str) -> bytes:
    if not text:
        return b""
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = user_comment(text)
    return exif.tobytes()
