"""A loaded checkpoint: the networks, and what the engine must know of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from darkroom.contract.model import ModelSpec
from worker.models.text import TextEncoding


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Networks in eval mode on `device`, weights in `dtype`. `bytes` is what the weights take there."""

    spec: ModelSpec
    unet: Any
    vae: Any
    text: TextEncoding
    scheduler_config: Mapping[str, Any]
    device: torch.device
    dtype: torch.dtype
    bytes: int

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a picture of `width` x `height` pixels."""
        factor = self.spec.vae_scale_factor
        return int(self.unet.config.in_channels), height // factor, width // factor

    def pixels(self, latents_1CHW: Tensor, dtype: torch.dtype) -> Tensor:
        """Decode one image with the VAE in `dtype`: 1 3 H W, nominally in [-1, 1].

        The VAE is left in `dtype`; half precision -> float32 -> half precision loses no weight bit.
        """
        self.vae.to(dtype=dtype)
        scaled = latents_1CHW.to(self.device, dtype) / self.vae.config.scaling_factor
        decoded: Tensor = self.vae.decode(scaled, return_dict=False)[0]
        return decoded

    def synchronize(self) -> None:
        """Wait for everything queued on the device; on a CPU nothing is."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
