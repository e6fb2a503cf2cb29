"""Pictures and masks to another size."""

import numpy as np
from PIL import Image

from darkroom.inputs.mask import Mask
from darkroom.inputs.normal import Pixels


def scaled(rgb_HW3: Pixels, size: tuple[int, int]) -> Pixels:
    """To `size` (width, height) with Lanczos, as `VaeImageProcessor` of diffusers does."""
    if (rgb_HW3.shape[1], rgb_HW3.shape[0]) == size:
        return rgb_HW3
    return np.asarray(Image.fromarray(rgb_HW3).resize(size, Image.Resampling.LANCZOS))


def scaled_part(rgb_HW3: Pixels, part: tuple[float, float, float, float], size: tuple[int, int]) -> Pixels:
    """The part (left, top, right, bottom) of a picture to `size`, as `scaled`; its edges may lie between pixels."""
    return np.asarray(Image.fromarray(rgb_HW3).resize(size, Image.Resampling.LANCZOS, box=part))


def scaled_mask(mask_HW: Mask, size: tuple[int, int]) -> Mask:
    """True wherever a masked pixel falls, so that no thin line is lost."""
    shares = Image.fromarray(mask_HW.astype(np.float32))  # eight bits would round a small share to none
    return np.asarray(shares.resize(size, Image.Resampling.BOX)) > 0
