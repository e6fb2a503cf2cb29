"""A request with everything decided: every default, seed, size and name. Made by the planner, read by all after it."""

from typing import Literal, get_args

from pydantic import Field

from darkroom.contract.base import Settled
from darkroom.contract.controlnet import PlannedControl
from darkroom.contract.safety import UNGUARDED, PlannedSafety
from darkroom.contract.stage import Hires, LaterStage, Refiner
from darkroom.contract.start import FromNoise, Start, computed_steps
from darkroom.contract.vae import OwnVae, PlannedVae

Task = Literal["text_to_image", "image_to_image", "inpaint", "outpaint"]
TASKS: tuple[Task, ...] = get_args(Task)
OutputFormat = Literal["png", "jpeg", "webp"]
Priority = Literal["interactive", "bulk"]

MEDIA_TYPES: dict[OutputFormat, str] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


class Notice(Settled):
    """Something in the request that had no effect, or not the one its words suggest."""

    field: str
    reason: str


class PlannedLora(Settled):
    """A LoRA by the content of its file; `model` is the name it was asked for by."""

    model: str
    sha256: str
    weight: float


class PlannedEmbedding(Settled):
    """A textual inversion that a prompt names, by the content of its file."""

    name: str
    sha256: str


class GenerationPlan(Settled):
    """One generation, resolved. `seeds` has one entry an image: image i is made with seeds[i] alone.

    `width` and `height` are the size it is denoised at first. `later_stages` may enlarge it, and `start` may lead to a
    picture of another size: see there.
    """

    task: Task
    model: str
    weights: dict[str, str] = Field(description="sha256 of each weight file, by its path in the model")
    prompt: str
    negative_prompt: str
    clip_skip: int = Field(description="last layers of the text encoder left out; diffusers' own, 0 for its None")
    width: int
    height: int
    steps: int
    guidance_scale: float
    scheduler: str
    seeds: tuple[int, ...]
    loras: tuple[PlannedLora, ...]
    embeddings: tuple[PlannedEmbedding, ...]
    output_format: OutputFormat
    output_compression: int
    deterministic: bool
    priority: Priority
    deadline_at: float | None = Field(description="Unix seconds after which the job must not start")
    predicted_seconds: float = Field(description="device seconds expected for all images")
    warnings: tuple[Notice, ...]
    metadata: dict[str, str]
    start: Start = Field(default=FromNoise(), description="where the latents begin")
    vae: PlannedVae = Field(default=OwnVae(), description="what encodes and decodes pictures")
    later_stages: tuple[LaterStage, ...] = Field(default=(), description="what follows the first denoising, in order")
    visible_label: str = Field(default="", description="words drawn into a corner for people to read; none if empty")
    controls: tuple[PlannedControl, ...] = Field(default=(), description="what steers the composition besides words")
    infotext: bool = Field(default=False, description="whether the files say all of this as A1111 does, prompts too")
    previews: bool = Field(default=False, description="whether preview frames are made while it runs")
    safety: PlannedSafety = Field(default=UNGUARDED, description="what is looked at, and how strictly")

    @property
    def computed_steps(self) -> int:
        """Steps of an image that are computed: fewer than `steps` where it starts from a picture."""
        return computed_steps(self.start, self.steps)

    @property
    def final_size(self) -> tuple[int, int]:
        """(width, height) at which the last stage denoises."""
        enlarged = [(stage.width, stage.height) for stage in self.later_stages if isinstance(stage, Hires)]
        return enlarged[-1] if enlarged else (self.width, self.height)

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that it takes, each once."""
        others = [stage.model for stage in self.later_stages if isinstance(stage, Refiner)]
        return tuple(dict.fromkeys((self.model, *others)))
