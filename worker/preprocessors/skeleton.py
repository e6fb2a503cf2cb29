"""Joints -> the coloured skeleton that ControlNets of poses were trained on: OpenPose's body of 18 joints."""

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.inputs.normal import Pixels

Joints = NDArray[np.float32]  # J 3: x, y in pixels, and how sure the network is
SURE = 0.3
STICK, DOT = 4, 4  # pixels
LIMB_SHARE = 0.6  # of its colour, as OpenPose draws limbs under joints

# COCO's 17 joints in the order of OpenPose's 18, of which the second, the neck, lies between the shoulders.
_SHOULDERS = (5, 6)
_COCO_OF = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
# From joint to joint, in the order of their colours.
_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
_COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85),
)  # fmt: skip


def drawn(persons: Iterable[Joints], size: tuple[int, ...]) -> Pixels:
    """H W 3 of `size` (height, width): every person of 17 COCO joints, as far as they are sure, on black."""
    bodies = [openpose_body(person) for person in persons]
    canvas_HW3 = np.zeros((*size, 3), np.uint8)
    for body in bodies:
        for (start, end), colour in zip(_LIMBS, _COLOURS, strict=False):
            if body[start, 2] >= SURE and body[end, 2] >= SURE:
                _limb(canvas_HW3, body[start, :2], body[end, :2], colour)
    canvas_HW3 = np.asarray(canvas_HW3 * LIMB_SHARE, np.uint8)
    for body in bodies:
        for (x, y, sure), colour in zip(body.tolist(), _COLOURS, strict=True):
            if sure >= SURE:
                cv2.circle(canvas_HW3, (round(x), round(y)), DOT, colour, -1)
    return canvas_HW3


def openpose_body(coco: Joints) -> Joints:
    """18 joints of OpenPose from 17 or more, the first of which are COCO's. The neck is as sure as both shoulders."""
    shoulders = coco[list(_SHOULDERS)]
    neck = np.append(shoulders[:, :2].mean(axis=0), shoulders[:, 2].min())
    return np.stack([neck if joint is None else coco[joint] for joint in _COCO_OF]).astype(np.float32)


def _limb(canvas_HW3: Pixels, start: NDArray[np.float32], end: NDArray[np.float32], colour: tuple[int, ...]) -> None:
    """An ellipse from joint to joint."""
    (x, y), (dx, dy) = ((start + end) / 2).tolist(), (end - start).tolist()
    half, angle = math.hypot(dx, dy) / 2, math.degrees(math.atan2(dy, dx))
    outline = cv2.ellipse2Poly((round(x), round(y)), (round(half), STICK), round(angle), 0, 360, 1)
    cv2.fillConvexPoly(canvas_HW3, np.asarray(outline, np.int32), colour)
