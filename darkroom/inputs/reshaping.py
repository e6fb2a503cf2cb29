"""Inputs made over as a request asks, before they are kept: brought to a size, or a mask turned round.

The three ways are those of `resize_image` in Stable Diffusion web UI, modules/images.py. CPU work, not for an event
loop.
"""

import numpy as np
from PIL import Image

from darkroom.contract.start import ResizeMode
from darkroom.inputs.normal import Normal, Pixels, flatten, packed

Size = tuple[int, int]  # width, height


def resized(picture: Normal, mode: ResizeMode, size: Size) -> Normal:
    """`picture` at exactly `size`."""
    height, width = picture.pixels.shape[:2]
    if (width, height) == size:
        return picture
    return _remade(picture, _filled(picture.pixels, size) if mode == "fill" else _scaled(picture.pixels, mode, size))


def inverted(mask: Normal) -> Normal:
    """A mask that says the opposite; what is transparent counts as black before."""
    return _remade(mask, 255 - flatten(mask.pixels, ground=0))


def _remade(picture: Normal, pixels: Pixels) -> Normal:
    """It comes from the same file, whose credential goes on."""
    kept = packed(pixels)
    return Normal(kept.png, kept.ref, pixels, original=picture.original)


def _scaled(pixels: Pixels, mode: ResizeMode, size: Size) -> Pixels:
    """All of the picture, or its middle in the shape of `size`."""
    high, wide = pixels.shape[:2]
    part = _middle((wide, high), size) if mode == "crop" else (0.0, 0.0, float(wide), float(high))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, box=part))


def _middle(whole: Size, shape: Size) -> tuple[float, float, float, float]:
    scale = min(whole[0] / shape[0], whole[1] / shape[1])
    wide, high = min(shape[0] * scale, whole[0]), min(shape[1] * scale, whole[1])
    left, top = (whole[0] - wide) / 2, (whole[1] - high) / 2
    return left, top, left + wide, top + high


def _filled(pixels: Pixels, size: Size) -> Pixels:
    """All of it as large as fits, in the middle, and its outermost pixels repeated to the edge."""
    high, wide = pixels.shape[:2]
    scale = min(size[0] / wide, size[1] / high)
    inner = max(1, min(size[0], round(wide * scale))), max(1, min(size[1], round(high * scale)))
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    right, bottom = size[0] - inner[0] - left, size[1] - inner[1] - top
    margins = ((top, bottom), (left, right), (0, 0))
    return np.pad(_scaled(pixels, "stretch", inner), margins, mode="edge")
