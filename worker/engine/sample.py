"""One image on its way from noise to latents."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from darkroom.contract.plan import GenerationPlan
from worker.engine.request import ROWS_GUIDED, guided
from worker.engine.schedulers import make_scheduler, takes_generator
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a forward pass: scaled latents, the timestep they are at, and what the network is told."""

    latents_1CHW: Tensor
    timestep: float
    conditioning: Conditioning


class Sample:
    """Image `index` of a plan: latents, a scheduler of its own, and a CPU generator seeded with its seed alone.

    Both the first latents and all later noise come from that generator, in float32, whatever device and dtype the
    network has; so an image does not depend on its neighbours, nor on its place in the job. Latents stay in float32
    between steps.
    """

    def __init__(self, plan: GenerationPlan, index: int, checkpoint: Checkpoint) -> None:
        self.index = index
        self.step = 0
        self._guidance_scale = plan.guidance_scale
        self.conditionings = _conditionings(plan, checkpoint)
        self._generator = torch.Generator("cpu").manual_seed(plan.seeds[index])
        self._scheduler = make_scheduler(plan.scheduler, checkpoint.scheduler_config, plan.steps)
        self._noise = {"generator": self._generator} if takes_generator(self._scheduler) else {}
        self._timesteps = self._scheduler.timesteps
        shape = (1, *checkpoint.latent_shape(plan.width, plan.height))
        noise_1CHW = torch.randn(shape, generator=self._generator, dtype=torch.float32)
        self.latents_1CHW = noise_1CHW.to(checkpoint.device) * self._scheduler.init_noise_sigma

    @property
    def rows_needed(self) -> int:
        """Rows this image puts into a forward pass: 2 with guidance, 1 without."""
        return len(self.conditionings)

    @property
    def steps(self) -> int:
        """Forward passes in all; second-order schedulers make more than the plan names."""
        return len(self._timesteps)

    @property
    def remaining(self) -> int:
        return self.steps - self.step

    def rows(self) -> list[Row]:
        """What this image puts into the next forward pass: [unconditional, conditional] or [conditional]."""
        timestep = self._timesteps[self.step]
        scaled_1CHW = self._scheduler.scale_model_input(self.latents_1CHW, timestep)
        return [Row(scaled_1CHW, float(timestep), conditioning) for conditioning in self.conditionings.values()]

    def advance(self, predictions_1CHW: Sequence[Tensor]) -> None:
        """Take one step with the network's answers to `rows()`, in their order.

        Classifier-free guidance after Ho and Salimans, https://arxiv.org/abs/2207.12598.
        """
        prediction_1CHW = predictions_1CHW[-1]
        if self.rows_needed == ROWS_GUIDED:
            unconditional_1CHW = predictions_1CHW[0]
            prediction_1CHW = unconditional_1CHW + self._guidance_scale * (prediction_1CHW - unconditional_1CHW)
        timestep = self._timesteps[self.step]
        self.latents_1CHW = self._scheduler.step(
            prediction_1CHW, timestep, self.latents_1CHW, return_dict=False, **self._noise
        )[0]
        self.step += 1


def _conditionings(plan: GenerationPlan, checkpoint: Checkpoint) -> dict[str, Conditioning]:
    """By field of the plan, in the order of the rows."""
    texts = {"negative_prompt": plan.negative_prompt} if guided(plan) else {}
    texts["prompt"] = plan.prompt
    return {field: checkpoint.text.encode(text) for field, text in texts.items()}
