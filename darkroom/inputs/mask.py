"""A picture read as a mask: what is light is made anew, what is dark stays."""

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.contract.start import Box
from darkroom.inputs.normal import Pixels, flatten

Mask = NDArray[np.bool_]  # H W


def binary(pixels: Pixels) -> Mask:
    """True where light, from half grey on. What is transparent stays."""
    return np.asarray(cv2.cvtColor(flatten(pixels, ground=0), cv2.COLOR_RGB2GRAY)) >= 128


def bounds(mask_HW: Mask) -> Box | None:
    """The smallest box around all that is light; None where nothing is."""
    if not mask_HW.any():
        return None
    rows, columns = np.flatnonzero(mask_HW.any(axis=1)), np.flatnonzero(mask_HW.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return Box(left=left, top=top, width=int(columns[-1]) + 1 - left, height=int(rows[-1]) + 1 - top)
