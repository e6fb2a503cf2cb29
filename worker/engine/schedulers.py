"""Scheduler names -> diffusers classes, configured from the model's own scheduler."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import diffusers

# `StableDiffusionPipeline.__init__` repairs these two in outdated configurations.
REPAIRS: Mapping[str, Any] = MappingProxyType({"steps_offset": 1, "clip_sample": False})

KARRAS = {"use_karras_sigmas": True}
SDE = {"algorithm_type": "sde-dpmsolver++"}


@dataclass(frozen=True)
class SchedulerKind:
    """A diffusers class and what is set on top of the model's configuration. `title` is its name in A1111."""

    title: str
    class_name: str
    overrides: Mapping[str, Any] = field(default_factory=dict)


KINDS: Mapping[str, SchedulerKind] = MappingProxyType(
    {
        "ddim": SchedulerKind("DDIM", "DDIMScheduler"),
        "euler": SchedulerKind("Euler", "EulerDiscreteScheduler"),
        "euler_a": SchedulerKind("Euler a", "EulerAncestralDiscreteScheduler"),
        "dpmpp_2m": SchedulerKind("DPM++ 2M", "DPMSolverMultistepScheduler"),
        "dpmpp_2m_karras": SchedulerKind("DPM++ 2M Karras", "DPMSolverMultistepScheduler", KARRAS),
        "dpmpp_2m_sde": SchedulerKind("DPM++ 2M SDE", "DPMSolverMultistepScheduler", SDE),
        "dpmpp_2m_sde_karras": SchedulerKind("DPM++ 2M SDE Karras", "DPMSolverMultistepScheduler", SDE | KARRAS),
        "unipc": SchedulerKind("UniPC", "UniPCMultistepScheduler"),
        "ddpm": SchedulerKind("DDPM", "DDPMScheduler"),
        "lms": SchedulerKind("LMS", "LMSDiscreteScheduler"),
    }
)


def make_scheduler(name: str, config: Mapping[str, Any], steps: int) -> Any:
    """A scheduler of its own for one image, its timesteps set.

    Its tables stay on the CPU: indexing them there costs nothing and waits for no device.
    """
    kind = KINDS[name]
    scheduler_class = getattr(diffusers, kind.class_name)
    expected = _parameters(scheduler_class.__init__)
    repairs = {key: value for key, value in REPAIRS.items() if key in expected}
    scheduler = scheduler_class.from_config({**config, **repairs, **kind.overrides})
    scheduler.set_timesteps(steps)
    return scheduler


def takes_generator(scheduler: Any) -> bool:
    """Whether `step` draws noise that must come from the image's own generator."""
    return "generator" in _parameters(type(scheduler).step)


@cache
def _parameters(function: Any) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)
