"""A picture as networks see it that look at the middle square alone: in as many squares as cover it.

Whoever wants something overlooked puts it beside the middle. Such networks were written for square pictures.
"""

from math import ceil
from typing import Final

import cv2
import numpy as np

from darkroom.safety.protocol import Pixels

MOST: Final = 4  # of one picture; one that is longer is squeezed until so many cover it


def squares(rgb_HWC: Pixels) -> list[Pixels]:
    """Squares of the shorter side's length, evenly spaced from one end to the other; of a square picture, itself."""
    height, width = rgb_HWC.shape[:2]
    if width < height:
        return [np.ascontiguousarray(square.swapaxes(0, 1)) for square in squares(rgb_HWC.swapaxes(0, 1))]
    if width > MOST * height:
        width = MOST * height
        rgb_HWC = np.asarray(cv2.resize(np.ascontiguousarray(rgb_HWC), (width, height), interpolation=cv2.INTER_AREA))
    starts = np.linspace(0, width - height, ceil(width / height)).round().astype(int)
    return [rgb_HWC[:, start : start + height] for start in starts]
