"""The stages of a plan as the engine runs them: what all images of a work share in each, worked out once.

A stage is a run of one checkpoint at one size. An image that has made all passes of a stage goes on to the lane of the
next with the noise of its own generator going on as well: what a stage draws comes after all that the one before drew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from torch import Tensor
from torch.nn.functional import interpolate

from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.stage import Hires, Refiner
from darkroom.contract.start import FromNoise
from darkroom.errors import BrokenWeights
from darkroom.inputs.normal import Pixels
from worker.engine.conditions import conditions
from worker.engine.control import Control, read_controls
from worker.engine.encode import Carried, Encoded, Enlarged, Nothing, Part, Whole
from worker.engine.lanczos import lanczos
from worker.engine.mixing import Mixture, mixtures, schedule
from worker.engine.needs import Leases
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning
from worker.models.lora import Applied
from worker.pictures.scaling import scaled

# Of schedulers whose configuration does not say.
TRAINED_TIMESTEPS = 1000

# What an image must be given to begin a stage: by the start of the plan, and for later stages by the upscaler.
_STARTS: Mapping[str, type[Encoded]] = MappingProxyType(
    {"noise": Nothing, "image": Whole, "mask": Part, "inside": Part}
)
_UPSCALED: Mapping[str, type[Encoded]] = MappingProxyType({"latent": Enlarged, "lanczos": Whole})


@dataclass(frozen=True, eq=False)
class Stage:
    """`passed_over` passes of its schedule come before those it makes, and `passes` are those; `of` so many, were they
    not shared with a refiner. Sizes are in pixels.

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
    of: int
    begins_with: type[Encoded]
    mixtures: tuple[Mixture, ...]
    pure: bool
    notices: tuple[Notice, ...] = ()

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return self.checkpoint.latent_shape(self.width, self.height)

    @property
    def seconds_per_row(self) -> float:
        """First guess at one row of one step, from the model's own figure for two rows at native size."""
        spec = self.checkpoint.spec
        return spec.seconds_per_step / 2 * (self.width * self.height) / (spec.native_width * spec.native_height)

    @property
    def begins_with_picture(self) -> bool:
        """Whether the latents of the stage before must be decoded for it."""
        return self.begins_with not in (Carried, Enlarged)

    def after_latents(self, latents_1CHW: Tensor) -> Encoded:
        """What follows from the last latents of the stage before, of a stage that begins with those.

        As `sample_hr_pass` of Forge, modules/processing.py, for its upscaler "Latent": bilinear, not antialiased.
        """
        if self.begins_with is Carried:
            return Carried()
        _, height, width = self.latent_shape
        return Enlarged(interpolate(latents_1CHW, (height, width), mode="bilinear", antialias=False))

    def after_picture(self, pixels_13HW: Tensor) -> Tensor:
        """What is to be encoded after the picture that the stage before ended in, both in [-1, 1]."""
        return lanczos(pixels_13HW, (self.width, self.height)).clamp(-1, 1)


def stages_of(
    plan: GenerationPlan, leases: Leases, loras: tuple[Applied, ...], maps: tuple[Pixels, ...] = ()
) -> tuple[Stage, ...]:
    """All stages of `plan`, in order; `maps` are those of its controls, H W 3 of the plan's size.

    Raises: BrokenWeights for a refiner of other noise levels; what tokenizer, text encoder, scheduler and ControlNets
        may raise.
    """
    nets = [leases.controlnet(control.net) for control in plan.controls]

    def steered(stage: Stage) -> Stage:
        """ControlNets look at every stage of their model, as web UIs have it, with maps of its size."""
        size = (stage.width, stage.height)
        return replace(stage, controls=read_controls(plan.controls, nets, [scaled(map_HW3, size) for map_HW3 in maps]))

    stages = [_first(plan, leases.checkpoint(plan.model), loras)]
    for later in plan.later_stages:
        if isinstance(later, Hires):
            stages.append(_enlarged(plan, later, stages[-1]))
        else:
            stages[-1:] = _shared(plan, later, stages[-1], leases.checkpoint(later.model))
    return tuple(steered(stage) if stage.model == plan.model else stage for stage in stages)


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
        of=len(course.timesteps) - passed_over,
        begins_with=_STARTS[start.kind],
        mixtures=() if noise_alone else mixtures(plan.scheduler, config, plan.steps, passed_over),
        pure=isinstance(start, FromNoise) or start.strength == 1,
    )


def _enlarged(plan: GenerationPlan, hires: Hires, before: Stage) -> Stage:
    """Image to image at full strength has its picture mixed in all the same, so `pure` is for first stages alone."""
    config = before.checkpoint.scheduler_config
    with before.checkpoint.worded(before.loras):
        conditionings = conditions(plan, before.checkpoint, (hires.width, hires.height))
    course = schedule(before.scheduler, config, hires.steps)
    passed_over = course.first_pass(hires.steps, hires.computed_steps)
    return replace(
        before,
        width=hires.width,
        height=hires.height,
        conditionings=conditionings,
        steps=hires.steps,
        passed_over=passed_over,
        passes=len(course.timesteps) - passed_over,
        of=len(course.timesteps) - passed_over,
        begins_with=_UPSCALED[hires.upscaler],
        mixtures=mixtures(before.scheduler, config, hires.steps, passed_over),
        pure=False,
    )


def _shared(plan: GenerationPlan, refiner: Refiner, base: Stage, checkpoint: Checkpoint) -> tuple[Stage, Stage]:
    """The passes of `base` shared out: `denoising_end` and `denoising_start` of diffusers' pipelines.

    Each makes one at least, however unevenly the noise levels are spaced. LoRAs are the base's.
    """
    course = schedule(base.scheduler, base.checkpoint.scheduler_config, base.steps)
    if schedule(base.scheduler, checkpoint.scheduler_config, base.steps) != course:
        raise BrokenWeights(refiner.model, f"its noise levels are not those of {base.model}")
    most = int(base.checkpoint.scheduler_config.get("num_train_timesteps", TRAINED_TIMESTEPS))
    switch = round(most - refiner.switch_at * most)
    passes = sum(timestep >= switch for timestep in course.timesteps[base.passed_over :])
    made = min(max(passes, 1), base.passes - 1)
    reason = f"would leave the base {passes} of {base.passes} passes; it made {made}"
    notices = () if made == passes else (Notice(field="refiner.switch_at", reason=reason),)
    return replace(base, passes=made, notices=notices), replace(
        base,
        model=refiner.model,
        checkpoint=checkpoint,
        conditionings=conditions(plan, checkpoint, (base.width, base.height)),
        loras=(),
        passed_over=base.passed_over + made,
        passes=base.passes - made,
        begins_with=Carried,
        pure=False,
    )
