"""Stable Diffusion 1.5 and XL by their configurations, with random weights: speed does not depend on what they draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from darkroom.catalog import embedded_model_folder
from darkroom.catalog.checkpoint import read_checkpoint
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.plan import PlannedEmbedding
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning
from worker.models.kernels import Kernels
from worker.models.networks import placed
from worker.models.text import RememberedText

TOKENS = 77
BETAS = {
    "_class_name": "EulerDiscreteScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}


@dataclass(frozen=True)
class Size:
    """A family at its native size: U-Net and VAE by their configurations, `pixels` a side, width of the pooled text."""

    family: str
    pixels: int
    pooled: int
    unet: Mapping[str, Any]
    vae: Mapping[str, Any]

    @property
    def words(self) -> int:
        """Width of the text."""
        return int(self.unet["cross_attention_dim"])


_VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
}
SIZES = {
    "sd15": Size(
        "sd1",
        512,
        0,
        {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8, "layers_per_block": 2},
        _VAE,
    ),
    "sdxl": Size(
        "sdxl",
        1024,
        1280,
        {
            "sample_size": 128,
            "cross_attention_dim": 2048,
            "attention_head_dim": (5, 10, 20),
            "block_out_channels": (320, 640, 1280),
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "transformer_layers_per_block": (1, 2, 10),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 2816,
        },
        {**_VAE, "scaling_factor": 0.13025, "force_upcast": False},
    ),
    "tiny": Size(
        "sd1",
        64,
        0,
        {
            "sample_size": 8,
            "cross_attention_dim": 32,
            "attention_head_dim": 2,
            "block_out_channels": (16, 32),
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
            "layers_per_block": 1,
            "norm_num_groups": 4,
        },
        {**_VAE, "block_out_channels": (8, 8, 8, 8), "layers_per_block": 1, "norm_num_groups": 4},
    ),
}


class RandomWords:
    """A text encoding that costs nothing: every text says the same."""

    def __init__(self, size: Size, device: torch.device, dtype: torch.dtype) -> None:
        context_1TC = torch.randn(1, TOKENS, size.words, device=device, dtype=dtype)
        pooled_1P = torch.randn(1, size.pooled, device=device, dtype=dtype) if size.pooled else None
        self.conditioning = Conditioning(context_1TC, pooled_1P)

    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        return self.conditioning


def build(name: str, device: torch.device, dtype: torch.dtype, kernels: Kernels) -> Checkpoint:
    """A checkpoint that draws noise, at the speed of the real one. VAE decoding is in `dtype` too."""
    size = SIZES[name]
    with torch.device(device):
        unet = UNet2DConditionModel(**{"in_channels": 4, "out_channels": 4, **size.unet})
        vae = AutoencoderKL(**size.vae)
    networks = [placed(network.eval().requires_grad_(False).to(dtype), device) for network in (unet, vae)]
    kernels.prepare(networks[0])
    spec = read_checkpoint(name, embedded_model_folder(), fresh_sha256).model_copy(
        update={"family": size.family, "native_width": size.pixels, "native_height": size.pixels, "vae_scale_factor": 8}
    )
    return Checkpoint(
        spec=spec,
        unet=networks[0],
        vae=networks[1],
        text=RememberedText(RandomWords(size, device, dtype)),
        scheduler_config=BETAS,
        device=device,
        dtype=dtype,
        bytes=1,
        kernels=kernels,
    )


def flops(name: str) -> tuple[float, float]:
    """(one row of the U-Net, one decoding of the VAE), counted on tensors without data."""
    size = SIZES[name]
    side = size.pixels // 8
    with torch.device("meta"), torch.inference_mode():
        unet = UNet2DConditionModel(**{"in_channels": 4, "out_channels": 4, **size.unet})
        vae = AutoencoderKL(**size.vae)
        latents_1CHW, timestep_1 = torch.empty(1, 4, side, side), torch.empty(1)
        added = {"text_embeds": torch.empty(1, size.pooled), "time_ids": torch.empty(1, 6)} if size.pooled else None
        with FlopCounterMode(display=False) as counted:
            unet(latents_1CHW, timestep_1, torch.empty(1, TOKENS, size.words), added_cond_kwargs=added)
        row = counted.get_total_flops()
        with FlopCounterMode(display=False) as counted:
            vae.decode(latents_1CHW)
    return float(row), float(counted.get_total_flops())
