"""Is a picture the one that was marked? Marks can be copied onto other pictures; what is in them cannot be."""

import io
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.provenance.placement import Placement
from darkroom.provenance.watermark import RGB

SIDE: Final = 96  # pixels of a thumbnail's short side
SIMILAR: Final = 0.7  # benign edits measure above .83, copied marks below .37
FLAT: Final = 3.0  # grey levels of deviation below which a picture shows nothing to compare
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
    """Best normalised cross-correlation of what `upright_view` saw with the thumbnail; -1..1."""
    with Image.open(io.BytesIO(thumbnail_webp), formats=("WEBP",)) as stored:
        whole = np.asarray(stored.convert("L"))
    room = cv2.copyMakeBorder(whole, _SLACK, _SLACK, _SLACK, _SLACK, cv2.BORDER_REFLECT)
    part = view_HW[: room.shape[0], : room.shape[1]]
    if part.std() < FLAT or whole.std() < FLAT:
        return _flat_likeness(part, whole)
    return float(cv2.matchTemplate(room, part, cv2.TM_CCOEFF_NORMED).max())


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
