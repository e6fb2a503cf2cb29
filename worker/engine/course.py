"""The way of one image through a scheduler, step by step."""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from worker.engine.probe import table
from worker.engine.schedulers import make_scheduler, step_options
from worker.engine.table import Table


class Weighted(NamedTuple):
    """A summand of the next latents."""

    weight: float
    tensor_1CHW: Tensor


class Course(Protocol):
    """One scheduler, one image, one run. `move` is to be called once for each of the `timesteps`, in their order."""

    @property
    def timesteps(self) -> tuple[float, ...]: ...

    @property
    def init_noise_sigma(self) -> float:
        """What a standard normal is multiplied with to begin from nothing."""
        ...

    def scaled(self, step: int, latents_1CHW: Tensor) -> Tensor:
        """What the network sees of the latents at `step`."""
        ...

    def move(self, step: int, latents_1CHW: Tensor, prediction_1CHW: Tensor) -> list[Weighted]:
        """The next latents, as a sum still to be taken. Draws the noise of this step."""
        ...


def set_out(name: str, config: Mapping[str, Any], steps: int, generator: torch.Generator, begin: int = 0) -> Course:
    """A course by scheduler `name`, its noise from `generator`, in float32.

    `begin` is the index of the first pass to be made, among all that `steps` steps take; with that of img2img, as
    `set_begin_index` of diffusers. Raises: what diffusers raises for numbers of steps that a scheduler does not take.
    """
    read = table(name, config, steps, begin)
    if read is None:
        return SchedulerCourse(make_scheduler(name, config, steps), generator, begin)
    return TableCourse(read, generator)


class TableCourse:
    """By a table, which is shared; the image's own are its history and its noise."""

    def __init__(self, read: Table, generator: torch.Generator) -> None:
        self.timesteps = tuple(step.timestep for step in read.steps)
        self.init_noise_sigma = read.init_noise_sigma
        self._steps = read.steps
        self._generator = generator
        # The newest first, so that an age is an index.
        self._history: deque[tuple[Tensor, Tensor]] = deque(maxlen=read.depth + 1)

    def scaled(self, step: int, latents_1CHW: Tensor) -> Tensor:
        return latents_1CHW * self._steps[step].scale

    def move(self, step: int, latents_1CHW: Tensor, prediction_1CHW: Tensor) -> list[Weighted]:
        row = self._steps[step]
        self._history.appendleft((latents_1CHW, prediction_1CHW))
        summands = [Weighted(term.weight, self._history[term.age][term.prediction]) for term in row.terms]
        if row.noise is not None:
            noise_1CHW = torch.randn(latents_1CHW.shape, generator=self._generator, dtype=torch.float32)
            summands.append(Weighted(row.noise, noise_1CHW.to(latents_1CHW.device, non_blocking=True)))
        return summands


class SchedulerCourse:
    """By a diffusers scheduler of its own, for configurations that no table describes: clipping, thresholding."""

    def __init__(self, scheduler: Any, generator: torch.Generator, begin: int) -> None:
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        self._scheduler = scheduler
        self._own_timesteps = scheduler.timesteps[begin:]
        self.timesteps = tuple(float(timestep) for timestep in self._own_timesteps)
        self.init_noise_sigma = float(scheduler.init_noise_sigma)
        self._options = step_options(scheduler, generator)

    def scaled(self, step: int, latents_1CHW: Tensor) -> Tensor:
        scaled_1CHW: Tensor = self._scheduler.scale_model_input(latents_1CHW, self._own_timesteps[step])
        return scaled_1CHW

    def move(self, step: int, latents_1CHW: Tensor, prediction_1CHW: Tensor) -> list[Weighted]:
        timestep = self._own_timesteps[step]
        stepped = self._scheduler.step(prediction_1CHW, timestep, latents_1CHW, return_dict=False, **self._options)
        return [Weighted(1.0, stepped[0])]
