"""Where persons are: boxes by YOLOX.

Z. Ge et al., YOLOX: exceeding YOLO series in 2021, as exported to ONNX: 1 N 5+classes for the cells of three grids, in
units of a cell; class 0 is "person" in COCO.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.inputs.normal import Pixels
from worker.preprocessors.onnx_network import Array, Network

STRIDES = (8, 16, 32)
SURE = 0.3
MOST_OVERLAP = 0.45
GROUND = 114  # grey around the picture, as in training
MOST_PERSONS = 32

Boxes = NDArray[np.float32]  # P 4: left, top, right, bottom in pixels of the picture


def find_persons(network: Network, rgb_HW3: Pixels) -> Boxes:
    """Boxes of at most MOST_PERSONS, the surest first. Raises: ValueError for a network of another kind."""
    height, width = network.side
    scale = min(height / rgb_HW3.shape[0], width / rgb_HW3.shape[1])
    small = cv2.resize(rgb_HW3, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)[:height, :width]
    framed = np.full((height, width, 3), GROUND, np.float32)
    framed[: small.shape[0], : small.shape[1]] = small[..., ::-1]  # it learned from BGR
    (told,) = network(np.ascontiguousarray(framed.transpose(2, 0, 1)[None]))[:1]
    boxes_N4, sure_N = _decoded(told, network.side)
    likely = np.argsort(-sure_N, kind="stable")
    likely = likely[sure_N[likely] >= SURE]
    return _without_doubles(boxes_N4[likely])[:MOST_PERSONS] / np.float32(scale)


def _decoded(told: Array, side: tuple[int, int]) -> tuple[Boxes, NDArray[np.float32]]:
    cells = [(stride, side[0] // stride, side[1] // stride) for stride in STRIDES]
    count = sum(rows * columns for _, rows, columns in cells)
    if told.ndim != 3 or told.shape[1] != count or told.shape[2] < 6 or not np.isfinite(told).all():
        raise ValueError("the detector is no YOLOX")
    grid = np.concatenate([np.indices((rows, columns))[::-1].reshape(2, -1).T for _, rows, columns in cells])
    strides = np.concatenate([np.full((rows * columns, 1), stride) for stride, rows, columns in cells])
    middle = (told[0, :, :2] + grid) * strides
    half = np.exp(told[0, :, 2:4].clip(max=10)) * strides / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)
    return boxes, told[0, :, 4] * told[0, :, 5]


def _without_doubles(boxes: Boxes) -> Boxes:
    """Greedy suppression: of boxes that overlap by more than MOST_OVERLAP, the first."""
    kept: list[int] = []
    for index in range(len(boxes)):
        if all(_overlap(boxes[index], boxes[other]) <= MOST_OVERLAP for other in kept[:MOST_PERSONS]):
            kept.append(index)
        if len(kept) == MOST_PERSONS:
            break
    return boxes[kept]


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Intersection over union."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(np.prod(np.clip(sides, 0, None)))
    whole = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - shared
    return shared / whole if whole > 0 else 0.0
