"""The passes of a schedule, and how much of a picture and how much noise there is in latents at each of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from worker.engine.schedulers import canonical, make_scheduler

# By scheduler, configuration, steps and beginning; one takes some ten kilobytes.
REMEMBERED_MIXTURES = 256


class Mixture(NamedTuple):
    """Latents are picture * `picture` + noise * `noise`."""

    picture: float
    noise: float

    def of(self, picture_1CHW: Tensor, noise_1CHW: Tensor) -> Tensor:
        return self.picture * picture_1CHW + self.noise * noise_1CHW


@dataclass(frozen=True)
class Schedule:
    """`timesteps` has one entry a pass; some schedulers take two passes a step: those of `order` 2."""

    timesteps: tuple[float, ...]
    order: int

    def first_pass(self, steps: int, computed: int) -> int:
        """Index of the first of the passes that the last `computed` of `steps` steps take.

        `get_timesteps` of diffusers' pipelines.
        """
        return (steps - computed) * self.order


def schedule(name: str, config: Mapping[str, Any], steps: int) -> Schedule:
    """What scheduler `name` does in `steps` steps. Raises: what diffusers raises for numbers it does not take."""
    return _schedule(name, canonical(config), steps)


def mixtures(name: str, config: Mapping[str, Any], steps: int, begin: int) -> tuple[Mixture, ...]:
    """One for each pass of scheduler `name` from pass `begin` on: the latents that it takes in.

    `add_noise` of diffusers is linear in picture and noise, so it is asked for its two coefficients, on the CPU. That
    of some schedulers looks at where they stand, if they stand anywhere: here, at the pass in question.
    """
    return _mixtures(name, canonical(config), steps, begin)


@lru_cache(REMEMBERED_MIXTURES)
def _schedule(name: str, config: str, steps: int) -> Schedule:
    scheduler = make_scheduler(name, json.loads(config), steps)
    return Schedule(tuple(float(timestep) for timestep in scheduler.timesteps), int(scheduler.order))


@lru_cache(REMEMBERED_MIXTURES)
def _mixtures(name: str, config: str, steps: int, begin: int) -> tuple[Mixture, ...]:
    scheduler = make_scheduler(name, json.loads(config), steps)
    return tuple(_mixture(scheduler, index) for index in range(begin, len(scheduler.timesteps)))


def _mixture(scheduler: Any, index: int) -> Mixture:
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(index)
    picture, noise = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    mixed = scheduler.add_noise(picture, noise, scheduler.timesteps[index : index + 1])
    return Mixture(*mixed.tolist())
