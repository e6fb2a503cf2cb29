"""What a pen would draw: dark lines and the dark side of edges, as strokes."""

import cv2
import numpy as np

from darkroom.inputs.normal import Pixels
from worker.preprocessors.method import three_channels

# Pixels, and grey levels: those of `scribble_xdog` in sd-webui-controlnet.
FINE_SIGMA, COARSE_SIGMA = 0.5, 5.0
STROKE = 16


def scribble(rgb_HW3: Pixels) -> Pixels:
    """White where a pixel is darker by STROKE levels than its surroundings, in any channel.

    A difference of Gaussians, thresholded: H. Winnemöller et al., XDoG: an extended difference-of-Gaussians compendium,
    2012, with the settings of `scribble_xdog` of sd-webui-controlnet. That asks for it in every channel, and so loses
    edges of colour alone: a red cup on a brown table.
    """
    rgb = rgb_HW3.astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(rgb, (0, 0), sigma) for sigma in (FINE_SIGMA, COARSE_SIGMA))
    return three_channels(np.where(np.subtract(coarse, fine).max(axis=2) > STROKE, 255, 0).astype(np.uint8))
