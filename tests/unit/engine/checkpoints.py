"""Checkpoints small enough to denoise in milliseconds: random weights, real classes, real files."""

import shutil
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from darkroom.catalog import embedded_model_folder

CPU = torch.device("cpu")
SIDE = 64  # pixels: 8 latents
SCALING = 0.2

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def write_checkpoint(
    folder: Path, prediction_type: Literal["epsilon", "v_prediction"], seed: int = 0, in_channels: int = 4
) -> Path:
    """A checkpoint in diffusers layout, its weights drawn from `seed`. With 9 channels it is for inpainting alone.

    One that predicts velocity is built as Stable Diffusion 2 is: it pads with another token, and has another
    activation, linear projections, and numbers of heads that differ by block.
    """
    second = prediction_type == "v_prediction"
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pad = {"pad_token": "!"} if second else {}
        tokenizer = CLIPTokenizer.from_pretrained(embedded_model_folder() / "tokenizer", **pad)
        StableDiffusionPipeline(
            vae=small_vae(),
            text_encoder=_text_encoder(tokenizer, "gelu" if second else "quick_gelu"),
            tokenizer=tokenizer,
            unet=_unet(in_channels, attention_head_dim=(2, 4) if second else 2, use_linear_projection=second),
            scheduler=DDIMScheduler(
                **BETAS, prediction_type=prediction_type, clip_sample=False, set_alpha_to_one=False, steps_offset=1
            ),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).save_pretrained(folder)
    return folder


def write_vae(folder: Path, seed: int, scaling_factor: float = SCALING) -> Path:
    """A VAE of the same latents as those of `write_checkpoint`, in diffusers layout."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        small_vae(scaling_factor).save_pretrained(folder)
    return folder


def copy_checkpoint(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def _unet(in_channels: int, **options: Any) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=in_channels,
        layers_per_block=1,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        norm_num_groups=4,
        **options,
    )


def small_vae(scaling_factor: float = SCALING, **options: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=scaling_factor,
        **options,
    )


def _text_encoder(tokenizer: CLIPTokenizer, activation: str) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            hidden_act=activation,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=tokenizer.model_max_length,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
