"""Masks as OpenAI has them: what is transparent is edited. Ours are grey, and white is made anew."""

import numpy as np

from darkroom.errors import InvalidField
from darkroom.inputs.normal import Pixels


def inverted(pixels: Pixels) -> Pixels:
    """H W 3, white where `pixels` are clear. Raises: InvalidField for a picture that is opaque all over."""
    if pixels.shape[2] != 4 or not (pixels[..., 3] < 128).any():
        raise InvalidField("mask", "nothing in it is transparent, which is how a mask says what is to be edited")
    return np.repeat(255 - pixels[..., 3:], 3, axis=2)
