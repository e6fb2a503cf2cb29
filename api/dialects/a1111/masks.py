"""Masks as A1111 reads them, in `create_binary_mask` of its modules/processing.py: of a picture with something clear in
it the opaque part is masked, in whatever colour it is painted; of another one what is light."""

import numpy as np

from darkroom.inputs.normal import Pixels

_CLEAR_TO = 128


def painted(pixels: Pixels) -> Pixels | None:
    """H W 3, white where `pixels` are opaque; None where all of them are, and light says it."""
    if pixels.shape[2] != 4 or (pixels[..., 3] == 255).all():
        return None
    return np.repeat(np.where(pixels[..., 3:] > _CLEAR_TO, np.uint8(255), np.uint8(0)), 3, axis=2)
