"""A checkpoint that can be served, known from its configuration and headers without loading a weight."""

from typing import Literal

from darkroom.contract.base import Settled
from darkroom.contract.plan import TASKS, Task
from darkroom.contract.vae import LatentSpace

Family = Literal["sd1", "sd2", "sdxl", "sdxl_refiner", "tiny"]
Layout = Literal["diffusers", "single_file"]


class ModelSpec(Settled):
    """`size_multiple` is the grid width and height must lie on; `seconds_per_step` is for one image at native size.

    `text_widths` are those of its text encoders; `latent_channels` and `latent_scaling` are of its VAE. With
    `force_zeros_for_empty_prompt` an empty negative prompt is no words at all, and not the words of an empty text.
    `weights` lie below the folder `path`; a single file takes the words of its prompts from `tokenizer`.
    `revision` is the commit of a checkpoint from the hub.
    """

    name: str
    title: str
    path: str
    family: Family
    prediction_type: Literal["epsilon", "v_prediction"]
    native_width: int
    native_height: int
    min_size: int
    max_size: int
    size_multiple: int
    vae_scale_factor: int
    default_steps: int
    default_guidance_scale: float
    default_scheduler: str
    max_prompt_tokens: int
    max_clip_skip: int
    text_widths: tuple[int, ...]
    seconds_per_step: float
    weights: dict[str, str]
    tasks: tuple[Task, ...] = TASKS
    latent_channels: int = 4
    latent_scaling: float = 0.18215
    force_zeros_for_empty_prompt: bool = False
    layout: Layout = "diffusers"
    tokenizer: str = ""
    revision: str = ""

    @property
    def latents(self) -> LatentSpace:
        """What a VAE must agree with to be used in the place of its own."""
        return LatentSpace(channels=self.latent_channels, pixels=self.vae_scale_factor, scaling=self.latent_scaling)

    @property
    def is_xl(self) -> bool:
        """Stable Diffusion XL, base or refiner."""
        return self.family in ("sdxl", "sdxl_refiner")
