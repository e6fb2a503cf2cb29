"""A folder in diffusers layout -> ModelSpec."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.catalog.configs import (
    PipelineIndex,
    SchedulerConfig,
    TextEncoderConfig,
    TokenizerConfig,
    UnetConfig,
    VaeConfig,
    read_config,
    read_json,
)
from darkroom.catalog.families import FAMILIES, check_conditions, family_of, most_clip_skip, tasks_of
from darkroom.catalog.hub import commit_of
from darkroom.catalog.schedulers import scheduler_of
from darkroom.catalog.weights import weight_digests
from darkroom.contract.model import Family, Layout, ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights

# Pictures with a shorter side do not carry the watermark through common edits.
MIN_SIDE = 128
SIDE_RATIO = 4

# A part of a pipeline is [library, class]; [None, None] where it is left out. `stable_diffusion` is diffusers' own
# module of the old safety checker.
TRUSTED_LIBRARIES = (["diffusers"], ["transformers"], ["stable_diffusion"], [None])

# In the order in which what they make of a token is set side by side.
TEXT_ENCODERS = ("text_encoder", "text_encoder_2")


def tokenizer_of(text_encoder: str) -> str:
    """The folder of the tokenizer that goes with a text encoder."""
    return text_encoder.replace("text_encoder", "tokenizer")


@dataclass(frozen=True)
class Parts:
    """The configurations of a checkpoint, wherever they were found. `texts` are by component, in their order.

    `window` is of its tokenizers, in tokens; `zeros` what it says of empty prompts, if it says something.
    """

    unet: UnetConfig
    vae: VaeConfig
    scheduler: SchedulerConfig
    texts: Mapping[str, TextEncoderConfig]
    window: int
    zeros: bool | None = None


@dataclass(frozen=True)
class Origin:
    """Where a checkpoint lies. `tokenizer` is empty where it has its own."""

    folder: Path
    weights: Mapping[str, str]
    layout: Layout = "diffusers"
    tokenizer: str = ""


def read_checkpoint(name: str, folder: Path, sha256: Callable[[Path], str]) -> ModelSpec:
    """Describe the checkpoint in `folder` and check every header. Raises: MissingWeights, BrokenWeights."""
    if not folder.is_dir():
        raise MissingWeights(folder.name, "no such folder")
    index = read_config(folder, "model_index.json", PipelineIndex)
    components = _components(folder)
    encoders = [component for component in components if component.startswith("text_encoder")]
    tokenizers = [f"{tokenizer_of(component)}/tokenizer_config.json" for component in encoders]
    parts = Parts(
        unet=read_config(folder, "unet/config.json", UnetConfig),
        vae=read_config(folder, "vae/config.json", VaeConfig),
        scheduler=read_config(folder, "scheduler/scheduler_config.json", SchedulerConfig),
        texts={each: read_config(folder, f"{each}/config.json", TextEncoderConfig) for each in encoders},
        window=min(read_config(folder, each, TokenizerConfig).model_max_length for each in tokenizers),
        zeros=index.force_zeros_for_empty_prompt,
    )
    return describe(name, parts, lambda: Origin(folder, weight_digests(folder, components, sha256)))


def describe(name: str, parts: Parts, origin: Callable[[], Origin]) -> ModelSpec:
    """What follows from a checkpoint's configurations. Its weights are hashed last, once all else is well.

    Raises: MissingWeights, BrokenWeights.
    """
    unet, vae, texts = parts.unet, parts.vae, list(parts.texts.values())
    family = family_of(unet, (*parts.texts, "unet", "vae"))
    check_conditions(family, unet, texts)
    tasks, traits = tasks_of(family, unet, vae), FAMILIES[family]
    found = origin()
    height, width = _native_size(unet, vae)
    return ModelSpec(
        name=name,
        title=_title(name, family),
        path=str(found.folder),
        family=family,
        prediction_type=parts.scheduler.prediction_type,
        native_width=width,
        native_height=height,
        min_size=max(MIN_SIDE, min(width, height) // 2),
        max_size=SIDE_RATIO * max(width, height),
        # diffusers' U-Net accepts latents of odd sides, so the VAE alone sets the grid.
        size_multiple=vae.scale_factor,
        vae_scale_factor=vae.scale_factor,
        default_steps=traits.steps,
        default_guidance_scale=traits.guidance_scale,
        default_scheduler=scheduler_of(parts.scheduler.class_name),
        max_clip_skip=most_clip_skip(family, texts),
        text_widths=tuple(text.hidden_size for text in texts),
        max_prompt_tokens=parts.window,
        seconds_per_step=traits.seconds_per_step,
        weights=dict(found.weights),
        tasks=tasks,
        latent_channels=vae.latent_channels,
        latent_scaling=vae.scaling_factor,
        force_zeros_for_empty_prompt=traits.size_conditions > 0 and parts.zeros is not False,
        layout=found.layout,
        tokenizer=found.tokenizer,
        revision=commit_of(found.folder),
    )


def _components(folder: Path) -> tuple[str, ...]:
    """Parts with weights. Every part must come from diffusers or transformers: no code of a checkpoint's own."""
    index = read_json(folder, "model_index.json")
    for part, origin in index.items():
        if isinstance(origin, list) and origin[:1] not in TRUSTED_LIBRARIES:
            raise BrokenWeights("model_index.json", f"{part} would need code from outside diffusers and transformers")
    encoders = tuple(encoder for encoder in TEXT_ENCODERS if _holds(index, encoder))
    if not encoders:
        raise BrokenWeights("model_index.json", "names no text encoder")
    return (*encoders, "unet", "vae")


def _holds(index: dict[str, Any], encoder: str) -> bool:
    """The first is left out by refiners alone, which say so; the second is there where it is named."""
    unsaid = ["transformers"] if encoder == "text_encoder" else [None]
    origin = index.get(encoder, unsaid)
    return isinstance(origin, list) and origin[:1] != [None]


def _native_size(unet: UnetConfig, vae: VaeConfig) -> tuple[int, int]:
    """(height, width) in pixels."""
    side = unet.sample_size
    height, width = (side, side) if isinstance(side, int) else side
    return height * vae.scale_factor, width * vae.scale_factor


def _title(name: str, family: Family) -> str:
    words = FAMILIES[family].title
    return f"{name} ({words})" if words else name
