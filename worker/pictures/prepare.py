"""A plan's start and its pictures -> canvas. CPU work: not for the engine's thread."""

import numpy as np

from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import Box, FromImage, FromInside, FromMask
from darkroom.inputs.mask import Mask, binary
from darkroom.inputs.normal import Pixels, flatten
from worker.pictures.canvas import Canvas, Drawn, Masked
from worker.pictures.fill import filled
from worker.pictures.overlay import Overlay, cut, feathered
from worker.pictures.scaling import scaled, scaled_mask, scaled_part

# What lies behind transparent parts of a picture.
GROUND = 255
# And of a picture or a map whose lines are looked for, as where maps are made on request.
NO_LINES = 0


def drawn(plan: GenerationPlan, image: Pixels) -> Canvas:
    """The canvas of a `FromImage`."""
    assert isinstance(plan.start, FromImage)
    return Drawn(scaled(flatten(image, GROUND), (plan.width, plan.height)))


def masked(plan: GenerationPlan, image: Pixels, mask: Pixels) -> Canvas:
    """The canvas of a `FromMask`: what is seen of the picture, at the plan's size."""
    start, size = plan.start, (plan.width, plan.height)
    assert isinstance(start, FromMask)
    original_HW3, mask_HW = flatten(image, GROUND), binary(mask)
    seen_HW3 = scaled(np.ascontiguousarray(cut(original_HW3, start.seen)), size)
    seen_HW = scaled_mask(np.ascontiguousarray(cut(mask_HW, start.seen)), size)
    overlay = Overlay(
        original_HW3, np.ascontiguousarray(cut(feathered(mask_HW, start.feather), start.seen)), start.seen
    )
    return Masked(_begun(seen_HW3, seen_HW, start), seen_HW, start.masked_content, overlay)


def inside(plan: GenerationPlan, image: Pixels) -> Canvas:
    """The canvas of a `FromInside`: the picture, and around it what is still to be made."""
    start = plan.start
    assert isinstance(start, FromInside)
    height, width = image.shape[:2]
    place = Box(left=start.left, top=start.top, width=width, height=height)
    whole = Box(left=0, top=0, width=plan.width, height=plan.height)
    padded_HW3 = np.full((plan.height, plan.width, 3), GROUND, np.uint8)
    cut(padded_HW3, place)[:] = flatten(image, GROUND)
    margin_HW = _outside(place, whole)
    anew_HW = _outside(_without_seam(place, whole, start.feather), whole)
    overlay = Overlay(padded_HW3, feathered(anew_HW, start.feather), whole)
    return Masked(_begun(padded_HW3, margin_HW, start), anew_HW, start.masked_content, overlay)


def steering(plan: GenerationPlan, picture: Pixels) -> Pixels:
    """The picture of a control at the plan's size: of its area, what is seen of the picture that is made anew.

    One as large as a picture that is grown goes with it, and is not scaled: `placed` is for its map.
    """
    size, whole_HW3 = (plan.width, plan.height), flatten(picture, NO_LINES)
    start = plan.start
    if isinstance(start, FromInside) and whole_HW3.shape[:2] == (start.image.height, start.image.width):
        return whole_HW3
    if not isinstance(start, FromMask) or (start.seen.width, start.seen.height) == (
        start.image.width,
        start.image.height,
    ):
        return scaled(whole_HW3, size)
    height, width = whole_HW3.shape[:2]
    wide, high = width / start.image.width, height / start.image.height
    left, top = start.seen.left * wide, start.seen.top * high
    right, bottom = left + start.seen.width * wide, top + start.seen.height * high
    return scaled_part(whole_HW3, (left, top, min(right, width), min(bottom, height)), size)


def placed(plan: GenerationPlan, map_HW3: Pixels) -> Pixels:
    """The map of what `steering` made at the plan's size: where the picture that is grown lies, and black around it."""
    start, (height, width) = plan.start, map_HW3.shape[:2]
    if not isinstance(start, FromInside) or (width, height) == (plan.width, plan.height):
        return map_HW3
    whole_HW3 = np.full((plan.height, plan.width, 3), NO_LINES, np.uint8)
    cut(whole_HW3, Box(left=start.left, top=start.top, width=width, height=height))[:] = map_HW3
    return whole_HW3


def _begun(rgb_HW3: Pixels, hole_HW: Mask, start: FromMask | FromInside) -> Pixels:
    return filled(rgb_HW3, hole_HW) if start.masked_content == "fill" else rgb_HW3


def _outside(place: Box, whole: Box) -> Mask:
    """True everywhere in `whole` but in `place`."""
    outside_HW = np.ones((whole.height, whole.width), np.bool_)
    cut(outside_HW, place)[:] = False
    return outside_HW


def _without_seam(place: Box, whole: Box, seam: int) -> Box:
    """`place` less a seam on the sides where it does not reach the edge of `whole`; never less than its middle."""
    left, right = _shrunk(place.left, place.left + place.width, whole.width, seam)
    top, bottom = _shrunk(place.top, place.top + place.height, whole.height, seam)
    return Box(left=left, top=top, width=right - left, height=bottom - top)


def _shrunk(start: int, end: int, most: int, seam: int) -> tuple[int, int]:
    seam = min(seam, (end - start - 1) // 2)
    return start + (seam if start else 0), end - (seam if end < most else 0)
