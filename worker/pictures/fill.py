"""Colours for a hole, from what is around it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.inputs.mask import Mask
from darkroom.inputs.normal import Pixels

# Standard deviations in pixels and how often each is laid over the last, far colours first: `fill` of Stable Diffusion
# web UI, modules/masking.py.
PYRAMID = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2))
# Blurs wider than this are computed on a smaller picture.
FINE_SIGMA = 8

Floats = NDArray[np.float32]


def filled(rgb_HW3: Pixels, hole_HW: Mask) -> Pixels:
    """`rgb_HW3` with its hole full of the blurred colours of the rest, nearer ones counting more.

    With nothing but hole, it is grey.
    """
    known_HW1 = (~hole_HW).astype(np.float32)[..., None]
    if not known_HW1.any():
        return np.full_like(rgb_HW3, 128)
    colours_HW3 = rgb_HW3 * known_HW1
    mean_3 = colours_HW3.sum(axis=(0, 1)) / known_HW1.sum()
    result_HW3 = np.broadcast_to(mean_3, rgb_HW3.shape).astype(np.float32)
    for sigma, repeats in PYRAMID:
        weight_HW1 = _blurred(known_HW1, sigma)[..., None]
        share_HW1 = 1 - (1 - weight_HW1.clip(0, 1)) ** repeats
        result_HW3 += share_HW1 * (_blurred(colours_HW3, sigma) / weight_HW1.clip(1e-6) - result_HW3)
    return np.where(hole_HW[..., None], np.rint(result_HW3.clip(0, 255)), rgb_HW3).astype(np.uint8)


def _blurred(pixels: Floats, sigma: int) -> Floats:
    """Gaussian blur with mirrored edges; drops an axis of length 1, as OpenCV does."""
    height, width = pixels.shape[:2]
    factor = max(1, sigma // FINE_SIGMA)
    small = cv2.resize(pixels, (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
