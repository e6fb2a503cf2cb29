"""A loaded checkpoint: the networks, and what the engine must know of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from darkroom.contract.model import ModelSpec
from worker.models.autoencoder import Autoencoder
from worker.models.kernels import PLAIN, Kernels
from worker.models.lora import Applied
from worker.models.lora_mix import Layers, LoraMix, row_key
from worker.models.palette import Palette
from worker.models.text import RememberedText

_TEXT_ENCODERS = ("text_encoder", "text_encoder_2")


@dataclass(frozen=True, eq=False)
class Moments:
    """What the VAE makes of a picture: a normal distribution of latents, float32, already scaled for the U-Net."""

    mean_1CHW: Tensor
    std_1CHW: Tensor

    def sample(self, noise_1CHW: Tensor) -> Tensor:
        return self.mean_1CHW + self.std_1CHW * noise_1CHW


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Networks in eval mode on `device`, weights in `dtype`. `bytes` is what the weights take there.

    `layers` are those that LoRAs may change. `latent_scaling` is for a VAE that does not know it; 0: it does.
    `palette` is the VAE's; None where no sketches are made.
    """

    spec: ModelSpec
    unet: Any
    vae: Any
    text: RememberedText
    scheduler_config: Mapping[str, Any]
    device: torch.device
    dtype: torch.dtype
    bytes: int
    layers: Layers = field(default_factory=dict)
    latent_scaling: float = 0.0
    kernels: Kernels = PLAIN
    palette: Palette | None = None

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a picture of `width` x `height` pixels."""
        factor = self.spec.vae_scale_factor
        return int(self.vae.config.latent_channels), height // factor, width // factor

    def with_vae(self, other: Autoencoder) -> "Checkpoint":
        """The same networks, but for pictures to be encoded and decoded by `other`."""
        scaling = other.scaling or self._scaling
        return replace(self, vae=other.network, latent_scaling=scaling, palette=other.palette)

    def without_vae(self) -> "Checkpoint":
        """For whoever only denoises, and must not keep a VAE in memory that nobody leases any more."""
        return replace(self, vae=None)

    @property
    def _scaling(self) -> float:
        """What the VAE's latents are multiplied with for the U-Net."""
        return self.latent_scaling or float(self.vae.config.scaling_factor)

    @property
    def inpaints(self) -> bool:
        """Whether the U-Net itself is told of the mask and of what stays."""
        return int(self.unet.config.in_channels) == 2 * int(self.vae.config.latent_channels) + 1

    @property
    def vae_dtypes(self) -> tuple[torch.dtype, ...]:
        """Precisions for the VAE, to be tried in this order: half precision overflows in some, and in a VAE of Stable
        Diffusion XL that says so always. Other families' configurations say so too, by default, and do not mean it.
        """
        if self.spec.is_xl and self.vae.config.force_upcast:
            return (torch.float32,)
        return tuple(dict.fromkeys((self.dtype, torch.float32)))

    def pixels(self, latents_1CHW: Tensor, dtype: torch.dtype) -> Tensor:
        """Decode one image with the VAE in `dtype`: 1 3 H W, nominally in [-1, 1].

        The VAE is left in `dtype`; half precision -> float32 -> half precision loses no weight bit.
        """
        self._bring_vae_to(dtype)
        scaled = latents_1CHW.to(self.device, dtype) / self._scaling
        decoded: Tensor = self.vae.decode(scaled, return_dict=False)[0]
        return decoded

    def sketch(self, latents_1CHW: Tensor) -> NDArray[np.uint8] | None:
        """Roughly what `pixels` would decode, without the VAE: H W 3, one pixel a latent. None without a palette."""
        return None if self.palette is None else self.palette.paint(latents_1CHW / self._scaling)

    def _bring_vae_to(self, dtype: torch.dtype) -> None:
        """`Module.to` takes as long as a third of a small picture's decoding, also where it has nothing to do."""
        if any(weight.dtype != dtype for weight in self.vae.parameters()):
            self.vae.to(dtype=dtype)

    @contextmanager
    def worded(self, loras: Sequence[Applied]) -> Iterator[None]:
        """While this is open, `text` encodes with `loras` over the text encoders, as far as they change those.

        What it remembers is kept apart by LoRAs.
        """
        touching = [applied for applied in loras if any(key[0] in _TEXT_ENCODERS for key in applied.lora.layers)]
        with ExitStack() as stack:
            if touching:
                stack.enter_context(self.text.apart(row_key(touching)))
                for network in _TEXT_ENCODERS:
                    stack.enter_context(LoraMix(self.layers, network, [touching]).applied())
            yield

    def moments(self, pixels_13HW: Tensor, dtype: torch.dtype) -> Moments:
        """Encode one image, in [-1, 1], with the VAE in `dtype`, and leave it in that."""
        self._bring_vae_to(dtype)
        found = self.vae.encode(pixels_13HW.to(self.device, dtype)).latent_dist
        return Moments(found.mean.float() * self._scaling, found.std.float() * self._scaling)

    def synchronize(self) -> None:
        """Wait for everything queued on the device; on a CPU nothing is."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
