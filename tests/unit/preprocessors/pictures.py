"""Drawn pictures whose maps are known."""

import cv2
import numpy as np

from darkroom.inputs.normal import Pixels


def house(side: int = 128) -> Pixels:
    """A light square on a dark ground, its edges at a quarter and three quarters of `side`."""
    picture = np.full((side, side, 3), 40, np.uint8)
    picture[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = (220, 180, 140)
    return picture


def disc(side: int = 128) -> Pixels:
    """A red disc on grey of the same lightness: an edge of colour alone."""
    picture = np.full((side, side, 3), 116, np.uint8)
    cv2.circle(picture, (side // 2, side // 2), side // 4, (220, 60, 60), -1)
    return picture


def flat(side: int = 128) -> Pixels:
    return np.full((side, side, 3), 127, np.uint8)


def noise(side: int = 128) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
