"""Which part of a picture is looked at when only what is masked is made anew."""

from darkroom.contract.start import Box
from darkroom.planner.sizes import Size


def seen_part(masked: Box, padding: int, size: Size, whole: Box) -> Box:
    """`masked` with `padding` pixels around it, widened to the shape of `size`, inside of `whole`.

    After `expand_crop_region` of Stable Diffusion web UI, modules/masking.py. Where the picture is too narrow for the
    shape, the part is as wide as the picture.
    """
    left, right = _padded(masked.left, masked.width, padding, whole.width)
    top, bottom = _padded(masked.top, masked.height, padding, whole.height)
    wide, high = right - left, bottom - top
    if wide * size[1] < high * size[0]:
        left, right = _widened(left, right, round(high * size[0] / size[1]), whole.width)
    else:
        top, bottom = _widened(top, bottom, round(wide * size[1] / size[0]), whole.height)
    return Box(left=left, top=top, width=right - left, height=bottom - top)


def _padded(start: int, length: int, padding: int, most: int) -> tuple[int, int]:
    return max(0, start - padding), min(most, start + length + padding)


def _widened(start: int, end: int, length: int, most: int) -> tuple[int, int]:
    """`length` pixels around the middle of start..end, pushed inside 0..most."""
    length = min(max(length, end - start), most)
    start = min(max(0, start - (length - (end - start)) // 2), most - length)
    return start, start + length
