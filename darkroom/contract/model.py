"""A checkpoint that can be served, known from its configuration and headers without loading a weight."""

from typing import Literal

from darkroom.contract.base import Settled
from darkroom.contract.plan import TASKS, Task

Family = Literal["sd1", "sd2", "sdxl", "tiny"]


class ModelSpec(Settled):
    """`size_multiple` is the grid width and height must lie on; `seconds_per_step` is for one image at native size.

    `text_widths` are those of its text encoders.
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
