"""One image on its way from its first latents to its last."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import FromNoise
from worker.engine.beginning import Way, begin
from worker.engine.conditions import conditions
from worker.engine.course import Weighted, set_out
from worker.engine.encode import NOTHING, Encoded
from worker.engine.mixing import Mixture, first_pass, mixtures
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning
from worker.models.lora import Applied


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a forward pass: scaled latents, the timestep they are at, what the network is told, and its LoRAs."""

    latents_1CHW: Tensor
    timestep: float
    conditioning: Conditioning
    loras: tuple[Applied, ...] = ()


@dataclass(frozen=True, eq=False)
class Common:
    """What all images of a plan share, worked out once. `passed_over` passes are before where they begin."""

    plan: GenerationPlan
    conditionings: dict[str, Conditioning]
    loras: tuple[Applied, ...]
    passed_over: int
    mixtures: tuple[Mixture, ...]

    @classmethod
    def of(cls, plan: GenerationPlan, checkpoint: Checkpoint, loras: tuple[Applied, ...]) -> "Common":
        """Raises: what tokenizer, text encoder and scheduler may raise."""
        config = checkpoint.scheduler_config
        with checkpoint.worded(loras):
            conditionings = conditions(plan, checkpoint)
        passed_over = first_pass(plan.scheduler, config, plan.steps, plan.computed_steps)
        noise_alone = isinstance(plan.start, FromNoise)
        mixed = () if noise_alone else mixtures(plan.scheduler, config, plan.steps, passed_over)
        return cls(plan, conditionings, loras, passed_over, mixed)


class Sample:
    """Image `index` of a plan: latents, a course of its own, and a CPU generator seeded with its seed alone.

    Both the first latents and all later noise come from that generator, in float32, whatever device and dtype the
    network has; so an image does not depend on its neighbours, nor on its place in the job. Latents stay in float32
    between steps.
    """

    def __init__(self, common: Common, index: int, checkpoint: Checkpoint, encoded: Encoded = NOTHING) -> None:
        plan = common.plan
        self.index = index
        self.step = 0
        self.guidance_scale = plan.guidance_scale
        self.conditionings = common.conditionings
        self._loras = common.loras
        self._generator = torch.Generator("cpu").manual_seed(plan.seeds[index])
        config = checkpoint.scheduler_config
        self._course = set_out(plan.scheduler, config, plan.steps, self._generator, common.passed_over)
        shape = (1, *checkpoint.latent_shape(plan.width, plan.height))
        way = _way(common, checkpoint, self._course.init_noise_sigma)
        self._beginning = begin(encoded, way, partial(_noise, shape, self._generator, checkpoint.device))
        self.latents_1CHW = self._beginning.latents_1CHW

    @property
    def rows_needed(self) -> int:
        """Rows this image puts into a forward pass: 2 with guidance, 1 without."""
        return len(self.conditionings)

    @property
    def steps(self) -> int:
        """Forward passes in all; second-order schedulers make more than the plan names."""
        return len(self._course.timesteps)

    @property
    def remaining(self) -> int:
        return self.steps - self.step

    def rows(self) -> list[Row]:
        """What this image puts into the next forward pass: [unconditional, conditional] or [conditional]."""
        shown_1CHW = self._beginning.shown(self._course.scaled(self.step, self.latents_1CHW))
        timestep = self._course.timesteps[self.step]
        return [Row(shown_1CHW, timestep, conditioning, self._loras) for conditioning in self.conditionings.values()]

    def move(self, prediction_1CHW: Tensor) -> list[Weighted]:
        """The next latents by the network's answer, as a sum still to be taken; to be called once a step."""
        return self._course.move(self.step, self.latents_1CHW, prediction_1CHW)

    def settle(self, latents_1CHW: Tensor) -> None:
        """End the step with its sum."""
        self.step += 1
        self.latents_1CHW = self._beginning.held(latents_1CHW, self.step)


def _noise(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(device)


def _way(common: Common, checkpoint: Checkpoint, init_noise_sigma: float) -> Way:
    start = common.plan.start
    if isinstance(start, FromNoise):
        return Way((), init_noise_sigma, pure=True, told=False)
    return Way(common.mixtures, init_noise_sigma, pure=start.strength == 1, told=checkpoint.inpaints)
