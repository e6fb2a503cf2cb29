"""Outlines by Canny's detector: thin white lines."""

import cv2
import numpy as np

from darkroom.inputs.normal import Pixels
from worker.preprocessors.method import three_channels

# Of the gradient: what ControlNet's own annotator takes, and diffusers' and SD.Next's examples after it.
LOW, HIGH = 100, 200


def canny(rgb_HW3: Pixels) -> Pixels:
    """Edges above HIGH, and those above LOW that lead on from them.

    J. Canny, A computational approach to edge detection, 1986; `cv2.Canny` with its 3x3 Sobel.
    """
    return three_channels(np.asarray(cv2.Canny(rgb_HW3, LOW, HIGH), np.uint8))
