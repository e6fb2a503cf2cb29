"""A folder in diffusers layout -> ModelSpec."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

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
from darkroom.catalog.schedulers import scheduler_of
from darkroom.catalog.weights import weight_digests
from darkroom.contract.model import Family, ModelSpec
from darkroom.contract.plan import TASKS, Task
from darkroom.errors import BrokenWeights, MissingWeights

# Pictures with a shorter side do not carry the watermark through common edits.
MIN_SIDE = 128
SIDE_RATIO = 4

# A part of a pipeline is [library, class]; [None, None] where it is left out. `stable_diffusion` is diffusers' own
# module of the old safety checker.
TRUSTED_LIBRARIES = (["diffusers"], ["transformers"], ["stable_diffusion"], [None])


@dataclass(frozen=True)
class FamilyDefaults:
    """`seconds_per_step` is a first guess, for one image with guidance: a data-centre GPU, or one CPU core for tiny."""

    steps: int
    guidance_scale: float
    seconds_per_step: float


FAMILY_DEFAULTS: Mapping[Family, FamilyDefaults] = MappingProxyType(
    {
        "sd1": FamilyDefaults(steps=30, guidance_scale=7.5, seconds_per_step=0.04),
        "sd2": FamilyDefaults(steps=30, guidance_scale=7.5, seconds_per_step=0.05),
        "sdxl": FamilyDefaults(steps=30, guidance_scale=5.0, seconds_per_step=0.12),
        "tiny": FamilyDefaults(steps=20, guidance_scale=4.0, seconds_per_step=0.04),
    }
)


def read_checkpoint(name: str, folder: Path, sha256: Callable[[Path], str]) -> ModelSpec:
    """Describe the checkpoint in `folder` and check every header. Raises: MissingWeights, BrokenWeights."""
    if not folder.is_dir():
        raise MissingWeights(folder.name, "no such folder")
    components = _components(folder)
    unet = read_config(folder, "unet/config.json", UnetConfig)
    vae = read_config(folder, "vae/config.json", VaeConfig)
    scheduler = read_config(folder, "scheduler/scheduler_config.json", SchedulerConfig)
    tokenizer = read_config(folder, "tokenizer/tokenizer_config.json", TokenizerConfig)
    encoders = [component for component in components if component.startswith("text_encoder")]
    texts = [read_config(folder, f"{component}/config.json", TextEncoderConfig) for component in encoders]
    tasks = _tasks(unet, vae)
    family = _family(unet, components)
    defaults = FAMILY_DEFAULTS[family]
    height, width = _native_size(unet, vae)
    return ModelSpec(
        name=name,
        title=_title(name, family),
        path=str(folder),
        family=family,
        prediction_type=scheduler.prediction_type,
        native_width=width,
        native_height=height,
        min_size=max(MIN_SIDE, min(width, height) // 2),
        max_size=SIDE_RATIO * max(width, height),
        # diffusers' U-Net accepts latents of odd sides, so the VAE alone sets the grid.
        size_multiple=vae.scale_factor,
        vae_scale_factor=vae.scale_factor,
        default_steps=defaults.steps,
        default_guidance_scale=defaults.guidance_scale,
        default_scheduler=scheduler_of(scheduler.class_name),
        max_clip_skip=min(text.num_hidden_layers for text in texts) - 1,
        text_widths=tuple(text.hidden_size for text in texts),
        max_prompt_tokens=tokenizer.model_max_length,
        seconds_per_step=defaults.seconds_per_step,
        weights=weight_digests(folder, components, sha256),
        tasks=tasks,
        latent_channels=vae.latent_channels,
        latent_scaling=vae.scaling_factor,
    )


def _tasks(unet: UnetConfig, vae: VaeConfig) -> tuple[Task, ...]:
    """A network for inpainting alone also takes a mask and the latents of what stays. Raises: BrokenWeights."""
    if unet.in_channels == vae.latent_channels:
        return TASKS
    if unet.in_channels == 2 * vae.latent_channels + 1:
        return ("inpaint", "outpaint")
    raise BrokenWeights("unet/config.json", f"takes {unet.in_channels} channels, the VAE has {vae.latent_channels}")


def _components(folder: Path) -> tuple[str, ...]:
    """Parts with weights. Every part must come from diffusers or transformers: no code of a checkpoint's own."""
    index = read_json(folder, "model_index.json")
    read_config(folder, "model_index.json", PipelineIndex)
    for part, origin in index.items():
        if isinstance(origin, list) and origin[:1] not in TRUSTED_LIBRARIES:
            raise BrokenWeights("model_index.json", f"{part} would need code from outside diffusers and transformers")
    second = ("text_encoder_2",) if index.get("text_encoder_2", [None])[0] else ()
    return ("text_encoder", *second, "unet", "vae")


def _family(unet: UnetConfig, components: tuple[str, ...]) -> Family:
    if "text_encoder_2" in components:
        return "sdxl"
    by_width: dict[int, Family] = {768: "sd1", 1024: "sd2"}
    return by_width.get(unet.cross_attention_dim, "tiny")


def _native_size(unet: UnetConfig, vae: VaeConfig) -> tuple[int, int]:
    """(height, width) in pixels."""
    side = unet.sample_size
    height, width = (side, side) if isinstance(side, int) else side
    return height * vae.scale_factor, width * vae.scale_factor


def _title(name: str, family: Family) -> str:
    words = {"sd1": "Stable Diffusion 1", "sd2": "Stable Diffusion 2", "sdxl": "Stable Diffusion XL"}
    return f"{name} ({words[family]})" if family in words else name
