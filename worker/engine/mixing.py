"""How much of a picture, and how much noise, there is in latents at each point of a schedule."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from worker.engine.schedulers import make_scheduler


class Mixture(NamedTuple):
    """Latents are picture * `picture` + noise * `noise`."""

    picture: float
    noise: float

    def of(self, picture_1CHW: Tensor, noise_1CHW: Tensor) -> Tensor:
        return self.picture * picture_1CHW + self.noise * noise_1CHW


def first_pass(name: str, config: Mapping[str, Any], steps: int, computed: int) -> int:
    """Index of the first of the passes that the last `computed` of `steps` steps take; some schedulers take two a step.

    `get_timesteps` of diffusers' pipelines.
    """
    if computed == steps:
        return 0
    return (steps - computed) * int(make_scheduler(name, config, steps).order)


def mixtures(name: str, config: Mapping[str, Any], steps: int, begin: int) -> tuple[Mixture, ...]:
    """One for each pass of scheduler `name` from pass `begin` on: the latents that it takes in.

    `add_noise` of diffusers is linear in picture and noise, so it is asked for its two coefficients, on the CPU. That
    of some schedulers looks at where they stand, if they stand anywhere: here, at the pass in question.
    """
    scheduler = make_scheduler(name, config, steps)
    return tuple(_mixture(scheduler, index) for index in range(begin, len(scheduler.timesteps)))


def _mixture(scheduler: Any, index: int) -> Mixture:
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(index)
    picture, noise = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    mixed = scheduler.add_noise(picture, noise, scheduler.timesteps[index : index + 1])
    return Mixture(*mixed.tolist())
