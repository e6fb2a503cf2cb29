"""One image on its way from its first latents to its last."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from darkroom.contract.plan import GenerationPlan
from worker.engine.beginning import Beginning, Way, begin
from worker.engine.control import Control
from worker.engine.course import Course, Weighted, set_out
from worker.engine.encode import Carried, Encoded
from worker.engine.estimate import Answer, finished
from worker.engine.stage import Stage
from worker.models.conditioning import Conditioning
from worker.models.lora import Applied


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a forward pass: scaled latents, the timestep they are at, what the network is told, its LoRAs,
    and the ControlNets that count now.
    """

    latents_1CHW: Tensor
    timestep: float
    conditioning: Conditioning
    loras: tuple[Applied, ...] = ()
    controls: tuple[Control, ...] = ()


class Sample:
    """Image `index` of a plan: latents, a course of its own, and a CPU generator seeded with its seed alone.

    Both the first latents and all later noise come from that generator, in float32, whatever device and dtype the
    network has; so an image does not depend on its neighbours, nor on its place in the job. Latents stay in float32
    between steps. `begin` enters the first stage, and after the last pass of one the next.
    """

    def __init__(self, plan: GenerationPlan, stages: Sequence[Stage], index: int) -> None:
        self.index = index
        self.step = 0
        self.sketches = 0
        self.guidance_scale = plan.guidance_scale
        self.steps = sum(stage.passes for stage in stages)
        self.latents_1CHW: Tensor
        self._stages = tuple(stages)
        self._entered = 0
        self._since = 0  # the step at which it entered the stage
        self._begun = 0  # the step at which its latents began
        self._generator = torch.Generator("cpu").manual_seed(plan.seeds[index])
        self._course: Course
        self._shown_1CHW: Tensor
        self._answer: tuple[Stage, Answer] | None = None
        self._watched = plan.previews
        self._beginning: Beginning

    @property
    def stage(self) -> Stage:
        """The one it is in; before the first, that."""
        return self._stages[max(0, self._entered - 1)]

    @property
    def next_stage(self) -> Stage | None:
        """The one that follows; None in the last."""
        return self._stages[self._entered] if self._entered < len(self._stages) else None

    @property
    def rows_needed(self) -> int:
        """Rows this image puts into a forward pass: 2 with guidance, 1 without."""
        return len(self.stage.conditionings)

    @property
    def remaining(self) -> int:
        """Forward passes still to make, over all stages; second-order schedulers make more than the plan names."""
        return self.steps - self.step

    @property
    def denoised(self) -> bool:
        """Whether all passes of its stage are made."""
        return self.step - self._since == self.stage.passes

    def begin(self, encoded: Encoded) -> None:
        """Enter the next stage. Raises: ValueError for what it does not begin with; what a scheduler may raise."""
        stage = self._stages[self._entered]
        if not isinstance(encoded, stage.begins_with):
            # Without its picture, a generation would be another one.
            raise ValueError(f"a stage that begins with {stage.begins_with.__name__} was given something else")
        checkpoint = stage.checkpoint
        config = checkpoint.scheduler_config
        self._course = set_out(stage.scheduler, config, stage.steps, self._generator, stage.passed_over)
        self._entered += 1
        self._since = self.step
        if isinstance(encoded, Carried):
            return  # what is held in place still is
        way = Way(stage.mixtures, self._course.init_noise_sigma, stage.pure, told=checkpoint.inpaints)
        noise = partial(_noise, (1, *stage.latent_shape), self._generator, checkpoint.device)
        self._beginning = begin(encoded, way, noise)
        self._begun = self.step
        self.latents_1CHW = self._beginning.latents_1CHW

    def rows(self) -> list[Row]:
        """What this image puts into the next forward pass: [unconditional, conditional] or [conditional]."""
        step, stage = self.step - self._since, self.stage
        self._shown_1CHW = self._course.scaled(step, self.latents_1CHW)
        shown_1CHW = self._beginning.shown(self._shown_1CHW)
        timestep = self._course.timesteps[step]
        controls = tuple(control for control in stage.controls if control.plan.counts(step, stage.of))
        told = stage.conditionings.values()
        return [Row(shown_1CHW, timestep, conditioning, stage.loras, controls) for conditioning in told]

    def move(self, prediction_1CHW: Tensor) -> list[Weighted]:
        """The next latents by the network's answer, as a sum still to be taken; to be called once a step."""
        step = self.step - self._since
        if self._watched:
            answer = Answer(self._shown_1CHW, self._course.timesteps[step], prediction_1CHW)
            self._answer = self.stage, answer
        return self._course.move(step, self.latents_1CHW, prediction_1CHW)

    def settle(self, latents_1CHW: Tensor) -> None:
        """End the step with its sum."""
        self.step += 1
        self.latents_1CHW = self._beginning.held(latents_1CHW, self.step - self._begun)

    def sketch(self) -> NDArray[np.uint8] | None:
        """What it is on the way to, by the network's last answer: H W 3, one pixel a latent.

        None before the first, and where no sketches are made.
        """
        if self._answer is None:
            return None
        stage, answer = self._answer
        checkpoint = stage.checkpoint
        self.sketches += 1
        return checkpoint.sketch(finished(answer, stage.scheduler, checkpoint.scheduler_config))

    def close(self) -> None:
        """Let go of networks, words and LoRAs."""
        self._stages = ()
        self._answer = None


def _noise(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(device)
