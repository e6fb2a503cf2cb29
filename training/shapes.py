"""Flat shapes, anti-aliased: the picture half of the data set.

A shape is an outline in a unit square, y pointing down, scaled so that all eight look about equally big.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Image = NDArray[np.uint8]  # HWC, sRGB
Outline = NDArray[np.float64]  # N2, (x, y)

SIDE = 128  # px, the model's native picture side
SUPERSAMPLING = 4  # a picture is drawn this much larger, then averaged down
SUBPIXEL_BITS = 4  # fixed-point bits of cv2.fillPoly's coordinates
RING_HOLE = 0.52  # inner radius of a ring / its outer radius

PALETTE: dict[str, Colour] = {
    "red": (222, 40, 44),
    "orange": (250, 140, 24),
    "yellow": (250, 222, 50),
    "green": (40, 160, 70),
    "cyan": (60, 210, 222),
    "blue": (36, 84, 214),
    "purple": (128, 48, 176),
    "pink": (248, 140, 186),
    "white": (250, 250, 250),
    "black": (20, 20, 22),
}
BACKGROUNDS = ("white", "black", "red", "yellow", "green", "cyan", "blue", "pink")
SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond", "cross", "ring")


@dataclass(frozen=True)
class Item:
    """One shape at its place: centre and radius in px, angle in radians."""

    shape: str
    rgb: Colour
    x: float
    y: float
    radius: float
    angle: float = 0.0


def _circle(points: int = 96) -> Outline:
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], 1)


def _star() -> Outline:
    turn = -np.pi / 2 + np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2 == 0, 1.14, 0.5)
    return np.stack([reach * np.cos(turn), reach * np.sin(turn) + 0.06], 1)


def _heart(points: int = 96) -> Outline:
    """The trigonometric heart curve (Wolfram MathWorld, "Heart Curve", eq. 6)."""
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x / 16, (y - 1.5) / 15], 1)


def _cross(half_width: float = 0.34) -> Outline:
    a, b = half_width, 1.0
    arm = [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a)]
    return np.array(arm + [(-x, -y) for x, y in arm])


OUTLINES: dict[str, Outline] = {
    "circle": _circle() * 0.95,
    "square": np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.86,
    "triangle": np.array([[0, -1.0], [1.04, 0.8], [-1.04, 0.8]]),
    "star": _star(),
    "heart": _heart(),
    "diamond": np.array([[0, -1.15], [0.82, 0], [0, 1.15], [-0.82, 0]]),
    "cross": _cross(),
    "ring": _circle() * 1.0,
}


def _fixed_point(item: Item, outline: Outline) -> NDArray[np.int32]:
    cosine, sine = math.cos(item.angle), math.sin(item.angle)
    turned = outline @ np.array([[cosine, sine], [-sine, cosine]])
    placed = turned * item.radius + [item.x, item.y]
    return np.round((placed * SUPERSAMPLING - 0.5) * 2**SUBPIXEL_BITS).astype(np.int32)


def draw(
    items: list[Item], background: Colour, width: int = SIDE, height: int = SIDE, stroke: float | None = None
) -> Image:
    """Items in order, later ones on top, on a flat background: a uint8 picture, HWC.

    Filled, or only their outlines when `stroke` gives the width of the line, in px.
    """
    canvas = np.empty((height * SUPERSAMPLING, width * SUPERSAMPLING, 3), np.uint8)
    canvas[:] = background
    for item in items:
        outlines = [_fixed_point(item, OUTLINES[item.shape])]
        if item.shape == "ring":  # fillPoly is even-odd: a second outline cuts the hole
            outlines.append(_fixed_point(item, OUTLINES["ring"] * RING_HOLE))
        if stroke is None:
            cv2.fillPoly(canvas, outlines, item.rgb, cv2.LINE_8, SUBPIXEL_BITS)
        else:
            line = round(stroke * SUPERSAMPLING)
            cv2.polylines(canvas, outlines, True, item.rgb, line, cv2.LINE_8, SUBPIXEL_BITS)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
