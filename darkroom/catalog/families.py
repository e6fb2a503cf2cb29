"""What kind of Stable Diffusion a checkpoint is, and what follows from that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from darkroom.catalog.configs import TextEncoderConfig, UnetConfig, VaeConfig
from darkroom.contract.model import Family
from darkroom.contract.plan import TASKS, Task
from darkroom.errors import BrokenWeights

UNET = "unet/config.json"


@dataclass(frozen=True)
class FamilyTraits:
    """`seconds_per_step` is a first guess, for one image with guidance: a data-centre GPU, or one CPU core for tiny.

    `size_conditions` is how many numbers the network is told of sizes and taste besides words.
    """

    title: str
    steps: int
    guidance_scale: float
    seconds_per_step: float
    size_conditions: int = 0


FAMILIES: Mapping[Family, FamilyTraits] = MappingProxyType(
    {
        "sd1": FamilyTraits("Stable Diffusion 1", steps=30, guidance_scale=7.5, seconds_per_step=0.04),
        "sd2": FamilyTraits("Stable Diffusion 2", steps=30, guidance_scale=7.5, seconds_per_step=0.05),
        # Original size, corner of the crop and target size.
        "sdxl": FamilyTraits(
            "Stable Diffusion XL", steps=30, guidance_scale=5.0, seconds_per_step=0.12, size_conditions=6
        ),
        # Original size, corner of the crop and aesthetic score.
        "sdxl_refiner": FamilyTraits(
            "Stable Diffusion XL refiner", steps=30, guidance_scale=5.0, seconds_per_step=0.11, size_conditions=5
        ),
        "tiny": FamilyTraits("", steps=20, guidance_scale=4.0, seconds_per_step=0.04),
    }
)


def family_of(unet: UnetConfig, components: Sequence[str]) -> Family:
    """The second text encoder is that of Stable Diffusion XL; its refiner has no other."""
    if "text_encoder_2" in components:
        return "sdxl" if "text_encoder" in components else "sdxl_refiner"
    by_width: dict[int, Family] = {768: "sd1", 1024: "sd2"}
    return by_width.get(unet.cross_attention_dim, "tiny")


def check_conditions(family: Family, unet: UnetConfig, texts: Sequence[TextEncoderConfig]) -> None:
    """See that the network asks for nothing that the family does not tell it. Raises: BrokenWeights."""
    for field in ("time_cond_proj_dim", "class_embed_type", "num_class_embeds", "encoder_hid_dim_type"):
        if getattr(unet, field) is not None:
            raise BrokenWeights(UNET, f"networks with {field} are not served")
    numbers = FAMILIES[family].size_conditions
    # "text" is made from the words that every network is told.
    if unet.addition_embed_type not in (("text_time",) if numbers else (None, "text")):
        raise BrokenWeights(UNET, f"addition_embed_type {unet.addition_embed_type} does not go with its text encoders")
    if numbers:
        expected = numbers * (unet.addition_time_embed_dim or 0) + texts[-1].projection_dim
        if unet.projection_class_embeddings_input_dim != expected:
            found = unet.projection_class_embeddings_input_dim
            raise BrokenWeights(UNET, f"takes {found} numbers of pooled text and sizes, not {expected}")


def tasks_of(family: Family, unet: UnetConfig, vae: VaeConfig) -> tuple[Task, ...]:
    """A network for inpainting alone also takes a mask and the latents of what stays. A refiner begins with a picture.

    Raises: BrokenWeights.
    """
    if unet.in_channels == vae.latent_channels:
        return ("image_to_image",) if family == "sdxl_refiner" else TASKS
    if unet.in_channels == 2 * vae.latent_channels + 1:
        return ("inpaint", "outpaint")
    raise BrokenWeights(UNET, f"takes {unet.in_channels} channels, the VAE has {vae.latent_channels}")


def most_clip_skip(family: Family, texts: Sequence[TextEncoderConfig]) -> int:
    """Layers that may be left out so that one is left. Stable Diffusion XL leaves one out by itself."""
    by_itself = 1 if FAMILIES[family].size_conditions else 0
    return max(0, min(text.num_hidden_layers for text in texts) - 1 - by_itself)
