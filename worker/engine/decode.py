"""Latents -> picture. A picture that came out as NaN is an error, never black pixels."""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from darkroom.errors import NanOutput
from worker.engine.vae import AT_LEISURE, Circumstances, run_vae
from worker.models.checkpoint import Checkpoint


@torch.inference_mode()
def decode(
    checkpoint: Checkpoint, latents_1CHW: Tensor, circumstances: Circumstances = AT_LEISURE
) -> NDArray[np.uint8]:
    """Decode one image: RGB, H W 3, uint8. Raises: NanOutput, OutOfMemory."""
    return _quantize(decode_exactly(checkpoint, latents_1CHW, circumstances))


@torch.inference_mode()
def decode_exactly(checkpoint: Checkpoint, latents_1CHW: Tensor, circumstances: Circumstances = AT_LEISURE) -> Tensor:
    """Decode one image: 1 3 H W, float32 in [-1, 1], on the device.

    Half precision overflows in some VAEs, so pixels that are not finite are decoded once more in float32.

    Raises: NanOutput, OutOfMemory.
    """
    if not torch.isfinite(latents_1CHW).all():
        raise NanOutput("denoising ended in values that are not numbers")
    for dtype in checkpoint.vae_dtypes:
        pixels_13HW = run_vae(checkpoint, partial(checkpoint.pixels, latents_1CHW, dtype), circumstances)
        if torch.isfinite(pixels_13HW).all():
            return pixels_13HW.float().clamp(-1, 1)
    raise NanOutput("decoding ended in values that are not numbers, also in float32")


def _quantize(pixels_13HW: Tensor) -> NDArray[np.uint8]:
    """[-1, 1] -> 0..255, rounded as `VaeImageProcessor` of diffusers does."""
    unit_HWC = (pixels_13HW[0] * 0.5 + 0.5).permute(1, 2, 0)
    return _fetched((unit_HWC * 255).round().to(torch.uint8).contiguous())


def _fetched(bytes_HWC: Tensor) -> NDArray[np.uint8]:
    """Off the device through page-locked memory, which the device writes by itself and at full speed."""
    if bytes_HWC.device.type == "cuda":
        locked_HWC = torch.empty(bytes_HWC.shape, dtype=torch.uint8, pin_memory=True)
        locked_HWC.copy_(bytes_HWC, non_blocking=True)
        torch.cuda.current_stream(bytes_HWC.device).synchronize()
        bytes_HWC = locked_HWC
    return bytes_HWC.numpy()
