"""Reads a picture back: background, then each object's colour, shape and place, by classical vision alone.

An object is a connected region that differs from the background. Its shape is the template with the best overlap
(intersection over union) once both have the same centroid and area.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.scenes import POSITIONS, Scene
from training.shapes import PALETTE, SHAPES, Image, Item, draw

Mask = NDArray[np.uint8]  # HW, 0 or 1

FOREGROUND_DISTANCE = 14.0  # CIE76 difference from the background that makes a pixel foreground
BORDER = 4  # px at the picture's edge that show the background
SMALLEST_AREA = 80  # px, less is dirt
LARGE_AREA = 3000  # px, such an object may hold another
LEAST_OVERLAP = 0.78  # intersection over union below which a shape is none
GRID = 48  # px, side of a normalised mask
SCALE = 0.42  # square root of the area of a normalised mask / GRID
TEMPLATE_ANGLES = np.linspace(-0.2, 0.2, 7)  # rad
BOX = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Found:
    """One object of a picture: area in px, centre in px, overlap of its outline with its shape's."""

    colour: str
    shape: str
    overlap: float
    area: int
    x: float
    y: float
    inner: tuple["Found", ...] = ()

    @property
    def pair(self) -> tuple[str, str]:
        return self.colour, self.shape if self.overlap >= LEAST_OVERLAP else "none"


@dataclass(frozen=True)
class Reading:
    """All of a picture."""

    background: str
    objects: tuple[Found, ...]


def _lab(rgb: NDArray[np.generic]) -> NDArray[np.float32]:
    """sRGB 0..255, any shape ending in 3, to CIELAB."""
    flat = (np.asarray(rgb, np.float32) / 255).reshape(1, -1, 3)
    return cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(np.shape(rgb)).astype(np.float32)


NAMES = tuple(PALETTE)
PALETTE_LAB = _lab(np.array(list(PALETTE.values())))


def colour_name(rgb: NDArray[np.generic]) -> str:
    """The palette's nearest colour in CIELAB."""
    return NAMES[int(np.linalg.norm(PALETTE_LAB - _lab(rgb), axis=1).argmin())]


def normalised(mask: Mask) -> NDArray[np.float32]:
    """The mask on a GRID x GRID canvas, its centroid in the middle, its area the same for all."""
    moments = cv2.moments(mask, True)
    scale = GRID * SCALE / math.sqrt(moments["m00"])
    x, y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    matrix = np.array([[scale, 0, GRID / 2 - scale * x], [0, scale, GRID / 2 - scale * y]], np.float32)
    return cv2.warpAffine(mask.astype(np.float32), matrix, (GRID, GRID)).astype(np.float32)


def _templates(shape: str) -> NDArray[np.float32]:
    masks = []
    for angle in TEMPLATE_ANGLES:
        picture = draw([Item(shape, (255, 255, 255), 64, 64, 40, angle)], (0, 0, 0))
        masks.append(normalised((picture[..., 0] > 127).astype(np.uint8)))
    return np.stack(masks)


TEMPLATES = {shape: _templates(shape) for shape in SHAPES}


def shape_name(mask: Mask) -> tuple[str, float]:
    """The best template's name and its overlap with the mask."""
    ours = normalised(mask)
    overlaps = {
        shape: float((np.minimum(masks, ours).sum((1, 2)) / np.maximum(masks, ours).sum((1, 2))).max())
        for shape, masks in TEMPLATES.items()
    }
    best = max(overlaps, key=lambda shape: overlaps[shape])
    return best, overlaps[best]


def _border_colour(picture: Image) -> NDArray[np.float64]:
    sides = (picture[:BORDER], picture[-BORDER:], picture[:, :BORDER], picture[:, -BORDER:])
    return np.median(np.concatenate([side.reshape(-1, 3) for side in sides]), 0)


def _core(mask: Mask) -> Mask:
    """The mask without its blended rim, as far as something is left."""
    for rounds in (2, 1):
        core = cv2.erode(mask, BOX, iterations=rounds)
        if core.sum() >= 12:
            return core.astype(np.uint8)
    return mask


def _outer(mask: Mask) -> Mask:
    """The mask with its holes filled."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(mask.copy(), outlines, -1, (1,), -1).astype(np.uint8)


def _contents(picture: Image, mask: Mask) -> tuple[NDArray[np.float64], tuple[Found, ...]]:
    """Colour of a large object's rim, and what lies inside."""
    full = _outer(mask)
    band = cv2.erode(full, BOX, iterations=2) - cv2.erode(full, BOX, iterations=5)
    rim = np.median(picture[band > 0], 0)
    inside = _objects(picture, rim, cv2.erode(full, BOX, iterations=4).astype(np.uint8), nested=True)
    return rim, tuple(found for found in inside if found.area < full.sum() / 2)


def _found(picture: Image, mask: Mask, nested: bool) -> Found:
    moments = cv2.moments(mask, True)
    area, x, y = int(moments["m00"]), moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    colour = np.median(picture[_core(mask) > 0], 0)
    shape, overlap = shape_name(mask)
    if area > LARGE_AREA and not nested and not (shape == "ring" and overlap >= LEAST_OVERLAP):
        rim, inner = _contents(picture, mask)
        if inner:
            return Found(colour_name(rim), *shape_name(_outer(mask)), area, x, y, inner)
    return Found(colour_name(colour), shape, overlap, area, x, y)


def _objects(picture: Image, ground: NDArray[np.float64], region: Mask | None, nested: bool) -> tuple[Found, ...]:
    distance = np.linalg.norm(_lab(picture) - _lab(ground), axis=2)
    foreground = (distance > FOREGROUND_DISTANCE).astype(np.uint8)
    if region is not None:
        foreground &= region
    foreground = cv2.morphologyEx(foreground, cv2.MORPH_OPEN, BOX).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(foreground, connectivity=4)
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= SMALLEST_AREA]
    return tuple(_found(picture, (labels == i).astype(np.uint8), nested) for i in large)


def read(picture: Image) -> Reading:
    """Everything that is in the picture: uint8 HWC, sRGB."""
    ground = _border_colour(picture)
    return Reading(colour_name(ground), _objects(picture, ground, None, nested=False))


def hollowness(picture: Image) -> float:
    """Share of all that lies within outlines that is background: about 0 for filled shapes, .27 for a filled ring."""
    distance = np.linalg.norm(_lab(picture) - _lab(_border_colour(picture)), axis=2)
    foreground = (distance > FOREGROUND_DISTANCE).astype(np.uint8)
    within = _outer(foreground).sum()
    return 1 - float(foreground.sum() / within) if within else 0.0


def _place(value: float, length: int) -> int:
    return -1 if value < 0.42 * length else 1 if value > 0.58 * length else 0


def _relation_holds(relation: str, first: Found, second: Found) -> bool:
    right, down = first.x - second.x, first.y - second.y
    holds = {
        "above": down < -abs(right),
        "below": down > abs(right),
        "left": right < -abs(down),
        "right": right > abs(down),
        "and": True,
    }
    return holds[relation]


def _check_relation(reading: Reading, scene: Scene) -> bool:
    wanted = [thing.pair for thing in scene.things]
    first, second = sorted(reading.objects, key=lambda found: found.pair != wanted[0])
    return [first.pair, second.pair] == wanted and _relation_holds(scene.relation or "and", first, second)


def _check_inside(reading: Reading, scene: Scene) -> bool:
    outer = reading.objects[0]
    return len(outer.inner) == 1 and [outer.inner[0].pair, outer.pair] == [thing.pair for thing in scene.things]


def _check_position(reading: Reading, scene: Scene) -> bool:
    found = reading.objects[0]
    place = (_place(found.x, scene.width), _place(found.y, scene.height))
    return found.pair == scene.things[0].pair and place == POSITIONS[scene.position or "center"]


def _check_same(reading: Reading, scene: Scene) -> bool:
    return all(found.pair == scene.things[0].pair for found in reading.objects)


CHECKS = {
    "single": _check_same,
    "count": _check_same,
    "position": _check_position,
    "relation": _check_relation,
    "inside": _check_inside,
}


def check(picture: Image, scene: Scene, background: bool = True) -> bool:
    """Whether the picture shows the scene: the background (if asked for), every object and none besides."""
    reading = read(picture)
    if background and reading.background != scene.background:
        return False
    if len(reading.objects) != (1 if scene.kind == "inside" else len(scene.things)):
        return False
    return not scene.things or CHECKS[scene.kind](reading, scene)
