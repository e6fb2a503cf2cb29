"""The size at which a picture is looked at: methods and networks are tuned for one, cameras make another."""

from math import sqrt

import cv2
import numpy as np

from darkroom.inputs.normal import Pixels
from worker.preprocessors.method import Method

# What is looked at, of banners too: methods take some hundred bytes a pixel.
MOST_PIXELS = 2048 * 2048


def at_resolution(method: Method, rgb_HW3: Pixels, resolution: int, *, exact: bool = False) -> Pixels:
    """The map of a picture whose shorter side is brought down to `resolution` pixels, at the picture's own size.

    Smaller pictures are looked at as they are. `exact`: colours of the map mean something, and must not be mixed.
    """
    height, width = rgb_HW3.shape[:2]
    scale = min(resolution / min(height, width), sqrt(MOST_PIXELS / (height * width)))
    if scale >= 1:
        return method(rgb_HW3)
    small = max(1, round(width * scale)), max(1, round(height * scale))
    found = method(np.asarray(cv2.resize(rgb_HW3, small, interpolation=cv2.INTER_AREA), np.uint8))
    how = cv2.INTER_NEAREST if exact else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(found, (width, height), interpolation=how), np.uint8)
