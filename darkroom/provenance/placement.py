"""How a picture lies relative to the picture that was marked, as the decoder of the mark found it."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.integer[Any] | np.floating[Any]]


@dataclass(frozen=True)
class Placement:
    """Undone in this order: quarter turns (counter-clockwise), mirroring, stretching to `aspect`, rotation.

    `aspect` is width / height before the picture was stretched, None when it was not. `zoom` is the short side of the
    marked picture divided by the short side of this one at the same scale: above 1 for a crop.
    """

    quarter_turns: int = 0
    mirrored: bool = False
    aspect: float | None = None
    degrees: float = 0.0
    zoom: float = 1.0

    def upright(self, grey_HW: Grey) -> Grey:
        """The picture with turns, mirroring and stretching undone; the crop stays a crop."""
        turned = np.rot90(grey_HW, self.quarter_turns)
        turned = np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)
        if self.aspect is not None:
            turned = _stretched(turned, self.aspect)
        return _rotated(turned, self.degrees) if self.degrees else turned


def _stretched(grey_HW: Grey, aspect: float) -> Grey:
    short = min(grey_HW.shape)
    size = (round(short * max(aspect, 1.0)), round(short * max(1 / aspect, 1.0)))
    return np.asarray(cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA))


def _rotated(grey_HW: Grey, degrees: float) -> Grey:
    height, width = grey_HW.shape
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1)
    return np.asarray(cv2.warpAffine(grey_HW, turn, (width, height), borderMode=cv2.BORDER_REFLECT))
