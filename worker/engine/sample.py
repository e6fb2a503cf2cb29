"""One image on its way from noise to latents."""

from dataclasses import dataclass

import torch
from torch import Tensor

from darkroom.contract.plan import GenerationPlan
from worker.engine.course import Weighted, set_out
from worker.engine.request import guided
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


class Sample:
    """Image `index` of a plan: latents, a course of its own, and a CPU generator seeded with its seed alone.

    Both the first latents and all later noise come from that generator, in float32, whatever device and dtype the
    network has; so an image does not depend on its neighbours, nor on its place in the job. Latents stay in float32
    between steps.
    """

    def __init__(
        self, plan: GenerationPlan, index: int, checkpoint: Checkpoint, loras: tuple[Applied, ...] = ()
    ) -> None:
        self.index = index
        self.step = 0
        self.guidance_scale = plan.guidance_scale
        self._loras = loras
        with checkpoint.worded(loras):
            self.conditionings = _conditionings(plan, checkpoint)
        self._generator = torch.Generator("cpu").manual_seed(plan.seeds[index])
        self._course = set_out(plan.scheduler, checkpoint.scheduler_config, plan.steps, self._generator)
        shape = (1, *checkpoint.latent_shape(plan.width, plan.height))
        noise_1CHW = torch.randn(shape, generator=self._generator, dtype=torch.float32)
        self.latents_1CHW = noise_1CHW.to(checkpoint.device) * self._course.init_noise_sigma

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
        scaled_1CHW = self._course.scaled(self.step, self.latents_1CHW)
        timestep = self._course.timesteps[self.step]
        return [Row(scaled_1CHW, timestep, conditioning, self._loras) for conditioning in self.conditionings.values()]

    def move(self, prediction_1CHW: Tensor) -> list[Weighted]:
        """The next latents by the network's answer, as a sum still to be taken; to be called once a step."""
        return self._course.move(self.step, self.latents_1CHW, prediction_1CHW)

    def settle(self, latents_1CHW: Tensor) -> None:
        """End the step with its sum."""
        self.latents_1CHW = latents_1CHW
        self.step += 1


def _conditionings(plan: GenerationPlan, checkpoint: Checkpoint) -> dict[str, Conditioning]:
    """By field of the plan, in the order of the rows."""
    texts = {"negative_prompt": plan.negative_prompt} if guided(plan) else {}
    texts["prompt"] = plan.prompt
    return {field: checkpoint.text.encode(text, plan.clip_skip, plan.embeddings) for field, text in texts.items()}
