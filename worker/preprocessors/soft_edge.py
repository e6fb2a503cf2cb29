"""Edges of many strengths, without weights: bold where shapes meet, faint inside of them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.inputs.normal import Pixels
from worker.preprocessors.method import three_channels

# Gaussian scales in pixels. Texture lives on the finest alone, outlines on all of them.
SIGMAS = (1.0, 2.0, 4.0)
# The share of pixels that may be at full white.
BRIGHTEST = 0.03

Plane = NDArray[np.float32]  # H W


def soft_edge(rgb_HW3: Pixels) -> Pixels:
    """The geometric mean of colour gradients at several scales, so that only what is an edge at all of them is bright.

    Gradients of colour after S. Di Zenzo, A note on the gradient of a multi-image, 1986, normalised by scale after
    T. Lindeberg, Edge detection and ridge detection with automatic scale selection, 1998.
    """
    lab_HW3 = np.asarray(cv2.cvtColor(rgb_HW3.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    logs = [np.log(_gradient(lab_HW3, sigma) + 1e-3) for sigma in SIGMAS]
    edges_HW = np.exp(np.mean(logs, axis=0))
    # A picture without edges must stay black, so white is never less than a step that can be seen.
    white = max(float(np.quantile(edges_HW, 1 - BRIGHTEST)), 8.0)
    return three_channels((255 * np.clip(edges_HW / white, 0, 1)).astype(np.uint8))


def _gradient(lab_HW3: NDArray[np.float32], sigma: float) -> Plane:
    """The steepest ascent of colour at each pixel, times `sigma`: the larger root of Di Zenzo's tensor."""
    smooth = cv2.GaussianBlur(lab_HW3, (0, 0), sigma)
    x, y = (cv2.Scharr(smooth, cv2.CV_32F, dx, 1 - dx) / 32 for dx in (1, 0))
    xx, yy, xy = ((a * b).sum(axis=2) for a, b in ((x, x), (y, y), (x, y)))
    steepest = (xx + yy + np.sqrt((xx - yy) ** 2 + 4 * xy**2)) / 2
    return np.asarray(sigma * np.sqrt(steepest), np.float32)
