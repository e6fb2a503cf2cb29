"""Networks that misbehave on demand, in the place of a checkpoint's own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import PlannedEmbedding
from tests.unit.engine.checkpoints import BETAS, CPU, SIDE
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning


class Watched:
    """A U-Net that calls `before(latents_RCHW, context_RTC)` and keeps the row count of every pass."""

    def __init__(self, unet: Any, before: Callable[[Tensor, Tensor], None] = lambda latents, context: None) -> None:
        self.config = unet.config
        self.passes: list[int] = []
        self._unet = unet
        self._before = before

    def __call__(self, latents: Tensor, timesteps: Tensor, *, encoder_hidden_states: Tensor, **options: Any) -> Any:
        self.passes.append(len(latents))
        self._before(latents, encoder_hidden_states)
        return self._unet(latents, timesteps, encoder_hidden_states=encoder_hidden_states, **options)


def watch(
    checkpoint: Checkpoint, before: Callable[[Tensor, Tensor], None] = lambda latents, context: None
) -> tuple[Checkpoint, Watched]:
    unet = Watched(checkpoint.unet, before)
    return replace(checkpoint, unet=unet), unet


class _Config:
    in_channels = 4
    latent_channels = 4
    scaling_factor = 1.0


class Still:
    """A U-Net that costs nothing and predicts no noise; `before` is called at every pass."""

    config = _Config()

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before

    def __call__(self, latents: Tensor, *_: Any, **__: Any) -> tuple[Tensor]:
        self._before()
        return (torch.zeros_like(latents),)


class Grey:
    """A VAE that costs nothing; `pixels` fills the picture it decodes to, by dtype."""

    config = _Config()

    def __init__(self, pixels: Callable[[torch.dtype], float] = lambda dtype: 0.0) -> None:
        self.tilings: list[bool] = []
        self.dtypes: list[torch.dtype] = []
        self._pixels = pixels
        self._dtype = torch.float32

    def parameters(self) -> list[Tensor]:
        return [torch.zeros(1, dtype=self._dtype)]

    def to(self, dtype: torch.dtype) -> "Grey":
        self._dtype = dtype
        return self

    def decode(self, latents: Tensor, **_: Any) -> tuple[Tensor]:
        self.dtypes.append(self._dtype)
        height, width = latents.shape[2] * 8, latents.shape[3] * 8
        return (torch.full((1, 3, height, width), self._pixels(self._dtype), dtype=self._dtype),)

    def enable_tiling(self) -> None:
        self.tilings.append(True)

    def disable_tiling(self) -> None:
        self.tilings.append(False)


class Mute:
    """A text encoding without words."""

    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        return Conditioning(torch.zeros(1, 4, 8))


class Lettered(Mute):
    """A prompt is encoded in as many chunks as it has letters; of `bad` words all numbers are 7."""

    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        if text == "bad":
            return Conditioning(torch.full((1, 77, 8), 7.0))
        return Conditioning(torch.zeros(1, 77 * max(1, len(text)), 8))


def still_checkpoint(
    name: str = "model", *, unet: Still | None = None, vae: Grey | None = None, size: int = 100
) -> Checkpoint:
    """A checkpoint that costs nothing, to test who is served when. `size` in bytes."""
    spec = ModelSpec(
        name=name,
        title=name,
        path="/nowhere",
        family="tiny",
        prediction_type="epsilon",
        native_width=SIDE,
        native_height=SIDE,
        min_size=8,
        max_size=512,
        size_multiple=8,
        vae_scale_factor=8,
        default_steps=4,
        default_guidance_scale=4.0,
        default_scheduler="ddim",
        max_prompt_tokens=8,
        max_clip_skip=0,
        text_widths=(8,),
        seconds_per_step=0.01,
        weights={},
    )
    config = {"_class_name": "DDIMScheduler", **BETAS}
    return Checkpoint(
        spec=spec,
        unet=unet or Still(),
        vae=vae or Grey(),
        text=Mute(),
        scheduler_config=config,
        device=CPU,
        dtype=torch.float32,
        bytes=size,
    )
