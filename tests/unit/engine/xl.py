"""Stable Diffusion XL small enough to denoise in milliseconds: base, refiner, and one for inpainting."""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    DiffusionPipeline,
    EulerDiscreteScheduler,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from darkroom.catalog import embedded_model_folder
from tests.unit.engine.checkpoints import BETAS, small_vae

WIDTHS = (16, 24)  # of the two encoders
POOLED = 20
TIME = 4  # numbers that each size becomes


def write_xl(folder: Path, seed: int = 10, in_channels: int = 4) -> Path:
    """With 9 channels it is for inpainting alone."""
    kind = StableDiffusionXLPipeline if in_channels == 4 else StableDiffusionXLInpaintPipeline
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, second = _tokenizers()
        kind(
            vae=small_vae(force_upcast=True),
            text_encoder=CLIPTextModel(_text_config(first, WIDTHS[0])),
            tokenizer=first,
            text_encoder_2=CLIPTextModelWithProjection(_text_config(second, WIDTHS[1])),
            tokenizer_2=second,
            unet=_unet(in_channels, sum(WIDTHS), 6),
            scheduler=_scheduler(),
            add_watermarker=False,
        ).save_pretrained(folder)
    return folder


def write_refiner(folder: Path, seed: int = 12) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        _, second = _tokenizers()
        StableDiffusionXLImg2ImgPipeline(
            vae=small_vae(force_upcast=True),
            text_encoder=None,
            tokenizer=None,
            text_encoder_2=CLIPTextModelWithProjection(_text_config(second, WIDTHS[1])),
            tokenizer_2=second,
            unet=_unet(4, WIDTHS[1], 5),
            scheduler=_scheduler(),
            requires_aesthetics_score=True,
            force_zeros_for_empty_prompt=False,
            add_watermarker=False,
        ).save_pretrained(folder)
    return folder


def pipeline(kind: Any, folder: str) -> Any:
    """Of diffusers, as good as new: its networks are read once for all tests."""
    loaded = _loaded(folder)
    options = {"force_zeros_for_empty_prompt": loaded.config.force_zeros_for_empty_prompt, "add_watermarker": False}
    if kind is not StableDiffusionXLPipeline:
        options["requires_aesthetics_score"] = bool(loaded.config.get("requires_aesthetics_score"))
    pipe = kind(**loaded.components, **options)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@cache
def _loaded(folder: str) -> Any:
    return DiffusionPipeline.from_pretrained(folder, add_watermarker=False)


def _tokenizers() -> tuple[CLIPTokenizer, CLIPTokenizer]:
    """The second pads with another token, as that of Stable Diffusion XL does."""
    folder = embedded_model_folder() / "tokenizer"
    return CLIPTokenizer.from_pretrained(folder), CLIPTokenizer.from_pretrained(folder, pad_token="!")


def _scheduler() -> EulerDiscreteScheduler:
    """As the original: its configuration also has what other schedulers need."""
    others = {"clip_sample": False, "set_alpha_to_one": False, "skip_prk_steps": True}
    return EulerDiscreteScheduler.from_config({**BETAS, "timestep_spacing": "leading", "steps_offset": 1, **others})


def _text_config(tokenizer: CLIPTokenizer, width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=POOLED,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=tokenizer.model_max_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _unet(in_channels: int, context: int, size_conditions: int) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=in_channels,
        layers_per_block=2,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2),
        cross_attention_dim=context,
        attention_head_dim=(2, 4),
        norm_num_groups=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME,
        projection_class_embeddings_input_dim=size_conditions * TIME + POOLED,
    )
