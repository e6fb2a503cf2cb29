"""Is a picture the one that was marked? Marks can be copied onto other pictures; what is in them cannot be."""

import io
from statistics import median
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.provenance.placement import Placement
from darkroom.provenance.watermark import RGB

SIDE: Final = 96  # pixels of a thumbnail's short side
SIMILAR: Final = 0.7  # `python -m benchmarks.similarity` tells what measures above and below
HALVED: Final = 0.2  # that a view must fit better at half its size; strange pictures reach .83 there, cuts of ours .94
FLAT: Final = 3.0  # grey levels of deviation below which a picture shows nothing to compare
_BLOCKS: Final = 4  # across, and down
_SLACK: Final = 4  # thumbnail pixels by which the picture may lie elsewhere

Grey = NDArray[np.uint8]


def thumbnail(rgb_HWC: RGB) -> bytes:
    """A grey WebP whose short side has SIDE pixels."""
    buffer = io.BytesIO()
    Image.fromarray(_shrunk(_grey(rgb_HWC), SIDE)).save(buffer, "WEBP", quality=60)
    return buffer.getvalue()


def upright_view(rgb_HWC: RGB, placement: Placement) -> Grey:
    """The picture as small as the part of a thumbnail that it shows, its geometry undone."""
    return _shrunk(placement.upright(_grey(rgb_HWC)).astype(np.uint8), SIDE / placement.zoom)


def likeness(view_HW: Grey, thumbnail_webp: bytes) -> float:
    """How well what `upright_view` saw fits a place of the thumbnail; -1..1.

    Of a cut of half or more the mark tells half the zoom, since it repeats: such a view is tried at half its size, too.
    A small part fits a strange picture more easily, so it must fit better.
    """
    with Image.open(io.BytesIO(thumbnail_webp), formats=("WEBP",)) as stored:
        whole = np.asarray(stored.convert("L"))
    return max(_fit(view_HW, whole), _fit(_shrunk(view_HW, min(view_HW.shape) / 2), whole) - HALVED)


def _fit(view_HW: Grey, whole: Grey) -> float:
    """Normalised cross-correlation at the best place, or the median of that of blocks: what was laid over a picture
    covers few of them."""
    bordered = cv2.copyMakeBorder(whole, _SLACK, _SLACK, _SLACK, _SLACK, cv2.BORDER_REFLECT)
    room = np.asarray(bordered, np.uint8)
    part = view_HW[: room.shape[0], : room.shape[1]]
    if part.std() < FLAT or whole.std() < FLAT:
        return _flat_likeness(part, whole)
    fits = cv2.matchTemplate(room, part, cv2.TM_CCOEFF_NORMED)
    top, left = divmod(int(fits.argmax()), fits.shape[1])
    there = room[top : top + part.shape[0], left : left + part.shape[1]]
    alike = [_correlation(*pair) for pair in zip(_blocks(part), _blocks(there), strict=True) if _shows(*pair)]
    return max(float(fits.max()), median(alike) if len(alike) >= _BLOCKS else -1.0)


def _blocks(grey_HW: Grey) -> list[Grey]:
    rows = np.array_split(grey_HW, _BLOCKS, 0)
    return [block for row in rows for block in np.array_split(row, _BLOCKS, 1)]


def _shows(block: Grey, other: Grey) -> bool:
    return bool(max(block.std(), other.std()) >= FLAT)


def _correlation(block: Grey, other: Grey) -> float:
    return (
        float(cv2.matchTemplate(block, other, cv2.TM_CCOEFF_NORMED)[0, 0]) if min(block.std(), other.std()) > 1 else 0.0
    )


def _grey(rgb_HWC: RGB) -> Grey:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb_HWC), cv2.COLOR_RGB2GRAY), np.uint8)


def _shrunk(grey_HW: Grey, short_side: float) -> Grey:
    factor = short_side / min(grey_HW.shape)
    size = (max(8, round(grey_HW.shape[1] * factor)), max(8, round(grey_HW.shape[0] * factor)))
    return np.asarray(cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA))


def _flat_likeness(part: Grey, whole: Grey) -> float:
    """For pictures of nothing: as alike as their brightness."""
    if part.std() >= 2 * FLAT or whole.std() >= 2 * FLAT:
        return 0.0
    return 1.0 - abs(float(part.mean()) - float(whole.mean())) / 64
