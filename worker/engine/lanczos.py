"""Pictures enlarged on the device, without rounding them to eight bits in between.

Rounding would turn the last digit of a forward pass into a step of 1/255, and so a picture depend on its neighbours.
"""

from functools import lru_cache

import torch
from torch import Tensor

# Lobes of the window: `Image.Resampling.LANCZOS` of Pillow.
SUPPORT = 3.0
REMEMBERED_SIDES = 32


def lanczos(pixels_13HW: Tensor, size: tuple[int, int]) -> Tensor:
    """To `size` (width, height) as Pillow resizes pictures of floats: src/libImaging/Resample.c."""
    width, height = size
    down = _weights(pixels_13HW.shape[2], height).to(pixels_13HW)
    across = _weights(pixels_13HW.shape[3], width).to(pixels_13HW)
    return down @ pixels_13HW @ across.T


@lru_cache(REMEMBERED_SIDES)
def _weights(old: int, new: int) -> Tensor:
    """new x old: how much of each old pixel there is in each new one, float32."""
    scale = old / new
    spread = max(1.0, scale)
    centres = (torch.arange(new, dtype=torch.float64) + 0.5) * scale
    distances = (torch.arange(old, dtype=torch.float64) + 0.5 - centres[:, None]) / spread
    window = torch.sinc(distances) * torch.sinc(distances / SUPPORT) * (distances.abs() < SUPPORT)
    return (window / window.sum(1, keepdim=True)).float()
