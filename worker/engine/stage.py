"""The stages of a plan as the engine runs them: what all images of a work share in each, worked out once.

A stage is a run of one checkpoint at one size. An image that has made all passes of a stage goes on to the lane of the
next with the noise of its own generator going on as well: what a stage draws comes after all that the one before drew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from torch import Tensor
from torch.nn.functional import interpolate

from darkroom.contract.plan import GenerationPlan
from darkroom.contract.stage import LaterStage
from darkroom.contract.start import FromNoise
from darkroom.inputs.normal import Pixels
from worker.engine.conditions import conditions
from worker.engine.control import Control, read_controls
from worker.engine.encode import Encoded, Enlarged, Nothing, Part, Whole
from worker.engine.lanczos import lanczos
from worker.engine.mixing import Mixture, mixtures, schedule
from worker.engine.needs import Leases
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning
from worker.models.lora import Applied
from worker.pictures.scaling import scaled

# What an image must be given to begin a stage: by the start of the plan, and for later stages by the upscaler.
_STARTS: Mapping[str, type[Encoded]] = MappingProxyType(
    {"noise": Nothing, "image": Whole, "mask": Part, "inside": Part}
)
_UPSCALED: Mapping[str, type[Encoded]] = MappingProxyType({"latent": Enlarged, "lanczos": Whole})


@dataclass(frozen=True, eq=False)
class Stage:
    """`passed_over` passes of its schedule come before those it makes, and `passes` are those. Sizes are in pixels.

    `begins_with` is what an image must be given to begin it. `mixtures` are empty where no picture is mixed in; with
    `pure` noise there is nothing of the picture in the first latents.
    """

    model: str
    checkpoint: Checkpoint
    width: int
    height: int
    conditionings: Mapping[str, Conditioning]
    loras: tuple[Applied, ...]
    controls: tuple[Control, ...]
    scheduler: str
    steps: int
    passed_over: int
    passes: int
    begins_with: type[Encoded]
    mixtures: tuple[Mixture, ...]
    pure: bool

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return self.checkpoint.latent_shape(self.width, self.height)

    @property
    def seconds_per_row(self) -> float:
        """First guess at one row of one step, from the model's own figure for two rows at native size."""
        spec = self.checkpoint.spec
        return spec.seconds_per_step / 2 * (self.width * self.height) / (spec.native_width * spec.native_height)

    def after_latents(self, latents_1CHW: Tensor) -> Encoded | None:
        """What follows from the last latents of the stage before; None where they must be decoded first.

        As `sample_hr_pass` of Forge, modules/processing.py, for its upscaler "Latent": bilinear, not antialiased.
        """
        if self.begins_with is not Enlarged:
            return None
        _, height, width = self.latent_shape
        return Enlarged(interpolate(latents_1CHW, (height, width), mode="bilinear", antialias=False))

    def after_picture(self, pixels_13HW: Tensor) -> Tensor:
        """What is to be encoded after the picture that the stage before ended in, both in [-1, 1]."""
        return lanczos(pixels_13HW, (self.width, self.height)).clamp(-1, 1)


def stages_of(
    plan: GenerationPlan, leases: Leases, loras: tuple[Applied, ...], maps: tuple[Pixels, ...] = ()
) -> tuple[Stage, ...]:
    """All stages of `plan`, in order; `maps` are those of its controls, H W 3 of the plan's size.

    Raises: what tokenizer, text encoder, scheduler and ControlNets may raise.
    """
    nets = [leases.controlnet(control.net) for control in plan.controls]

    def steered(stage: Stage) -> Stage:
        """ControlNets look at every stage, as web UIs have it, with maps of its size."""
        size = (stage.width, stage.height)
        return replace(stage, controls=read_controls(plan.controls, nets, [scaled(map_HW3, size) for map_HW3 in maps]))

    first = _first(plan, leases.checkpoint(plan.model), loras)
    stages = (first, *(_later(plan, stage, first) for stage in plan.later_stages))
    return tuple(map(steered, stages))


def _first(plan: GenerationPlan, checkpoint: Checkpoint, loras: tuple[Applied, ...]) -> Stage:
    config, start = checkpoint.scheduler_config, plan.start
    with checkpoint.worded(loras):
        conditionings = conditions(plan, checkpoint, (plan.width, plan.height))
    course = schedule(plan.scheduler, config, plan.steps)
    passed_over = course.first_pass(plan.steps, plan.computed_steps)
    noise_alone = isinstance(start, FromNoise)
    return Stage(
        model=plan.model,
        checkpoint=checkpoint,
        width=plan.width,
        height=plan.height,
        conditionings=conditionings,
        loras=loras,
        controls=(),
        scheduler=plan.scheduler,
        steps=plan.steps,
        passed_over=passed_over,
        passes=len(course.timesteps) - passed_over,
        begins_with=_STARTS[start.kind],
        mixtures=() if noise_alone else mixtures(plan.scheduler, config, plan.steps, passed_over),
        pure=isinstance(start, FromNoise) or start.strength == 1,
    )


def _later(plan: GenerationPlan, stage: LaterStage, first: Stage) -> Stage:
    """Image to image at full strength has its picture mixed in all the same, so `pure` is for first stages alone."""
    config = first.checkpoint.scheduler_config
    with first.checkpoint.worded(first.loras):
        conditionings = conditions(plan, first.checkpoint, (stage.width, stage.height))
    course = schedule(first.scheduler, config, stage.steps)
    passed_over = course.first_pass(stage.steps, stage.computed_steps)
    return replace(
        first,
        width=stage.width,
        height=stage.height,
        conditionings=conditionings,
        steps=stage.steps,
        passed_over=passed_over,
        passes=len(course.timesteps) - passed_over,
        begins_with=_UPSCALED[stage.upscaler],
        mixtures=mixtures(first.scheduler, config, stage.steps, passed_over),
        pure=False,
    )
