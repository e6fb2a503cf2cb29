"""Luma, its size, and how much of it a viewer will not notice."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.float32]

MASK_FLOOR: Final = 1.0  # strength on flat areas
MASK_SLOPE: Final = 0.15  # extra strength per grey level of local deviation
MASK_CEILING: Final = 20.0  # grey levels of deviation beyond which the eye hides no more
MASK_SIDE: Final = 256  # texture is judged on a picture of this short side


def luma(rgb_HWC: NDArray[np.uint8]) -> Luma:
    """BT.601 luma in 0..255, HxW."""
    return cv2.cvtColor(np.ascontiguousarray(rgb_HWC), cv2.COLOR_RGB2GRAY).astype(np.float32)


def resized(luma_HW: Luma, height: int, width: int) -> Luma:
    """Resampled without aliasing; never smaller than 8 samples a side."""
    size = (max(8, width), max(8, height))
    shrinks = size[0] < luma_HW.shape[1]
    kernel = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma_HW, size, interpolation=kernel), np.float32)


def scaled(luma_HW: Luma, factor: float) -> Luma:
    return resized(luma_HW, round(luma_HW.shape[0] * factor), round(luma_HW.shape[1] * factor))


def beginning(luma_HW: Luma, times: int) -> Luma:
    """The upper left of a picture, at most so many times as long as wide: the mark repeats, and time is short."""
    longest = times * min(luma_HW.shape)
    return luma_HW[:longest, :longest]


def middle(luma_HW: Luma, times: int) -> Luma:
    """As `beginning`, from the middle."""
    longest = times * min(luma_HW.shape)
    top, left = (max(0, side - longest) // 2 for side in luma_HW.shape)
    return luma_HW[top : top + longest, left : left + longest]


def masking(luma_HW: Luma) -> Luma:
    """Relative strength a mark may have at each pixel: more in texture, not more at a lone edge between flat areas."""
    height, width = luma_HW.shape
    small = scaled(luma_HW, min(1.0, MASK_SIDE / min(height, width)))
    mean = cv2.blur(small, (9, 9))
    deviation = np.sqrt(np.maximum(cv2.blur(small * small, (9, 9)) - mean * mean, 0))
    # eroding over more than the window of the deviation removes isolated edges but keeps texture
    texture = cv2.blur(cv2.erode(deviation, np.ones((11, 11), np.uint8)), (7, 7))
    strength = MASK_FLOOR + MASK_SLOPE * np.minimum(texture, MASK_CEILING)
    return resized(cv2.GaussianBlur(strength, (0, 0), 2).astype(np.float32), height, width)
