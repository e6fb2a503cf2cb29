"""Which mark is strong enough: the faintest that still reads after what will happen to the picture."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from darkroom.provenance.watermark import RGB

LADDER: Final = (42.0, 41.0, 40.0, 39.0)  # dB, faintest first
SMALL: Final = 256  # pixels of short side below which one tile holds all there is
SMALL_LADDER: Final = (*LADDER, 38.0, 37.0)
LAST_RESORT: Final = (37.0, 34.0, 31.0, 28.0, 25.0)  # for pictures of noise, which drown a mark and hide a strong one


def ladder(short_side: int) -> tuple[float, ...]:
    """Strengths to try. Small pictures may be marked more strongly: they have less room and hide it no worse."""
    return SMALL_LADDER if short_side < SMALL else LADDER


def attacked(marked: RGB) -> Iterator[RGB]:
    """What a mark must survive before it is accepted, hardest last.

    JPEG 50 leaves a margin above the JPEG 75 that is promised. WebP smooths flat areas; only small pictures feel it.
    """
    yield marked
    yield as_jpeg(marked, 50)
    if min(marked.shape[:2]) < SMALL:
        yield as_jpeg(as_webp(marked, 80), 75)


def as_jpeg(rgb_HWC: RGB, quality: int) -> RGB:
    return _recoded(rgb_HWC, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def as_webp(rgb_HWC: RGB, quality: int) -> RGB:
    return _recoded(rgb_HWC, ".webp", cv2.IMWRITE_WEBP_QUALITY, quality)


def _recoded(rgb_HWC: RGB, extension: str, flag: int, quality: int) -> RGB:
    _, data = cv2.imencode(extension, cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2BGR), [flag, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)
