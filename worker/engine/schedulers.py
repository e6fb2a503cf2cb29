"""Scheduler names -> diffusers classes, configured from the model's own scheduler."""

import copy
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import diffusers
import torch

# How the noise levels are spaced, where a name says so: one of them, whatever the model's own configuration has.
_NO_SIGMAS: dict[str, Any] = {
    "use_karras_sigmas": False,
    "use_exponential_sigmas": False,
    "use_beta_sigmas": False,
}
SPACINGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "karras": _NO_SIGMAS | {"use_karras_sigmas": True},
        "exponential": _NO_SIGMAS | {"use_exponential_sigmas": True},
        "beta": _NO_SIGMAS | {"use_beta_sigmas": True},
        "sgm_uniform": _NO_SIGMAS | {"timestep_spacing": "trailing"},
    }
)
_SIGMAS = ("karras", "exponential", "beta")
_ALL = (*_SIGMAS, "sgm_uniform")

REMEMBERED_PROTOTYPES = 128

# Single-step solvers need it where steps are odd or noise ends at zero, and set it with a warning where it is not.
LOWER = {"lower_order_final": True}
SDE = {"algorithm_type": "sde-dpmsolver++"}


@dataclass(frozen=True)
class SchedulerKind:
    """A diffusers class and what is set on top of the model's configuration."""

    class_name: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    spacings: tuple[str, ...] = ()


_SAMPLERS: Mapping[str, SchedulerKind] = {
    "ddim": SchedulerKind("DDIMScheduler", spacings=("sgm_uniform",)),
    "ddpm": SchedulerKind("DDPMScheduler"),
    "euler": SchedulerKind("EulerDiscreteScheduler", spacings=_ALL),
    "euler_a": SchedulerKind("EulerAncestralDiscreteScheduler", spacings=("sgm_uniform",)),
    "heun": SchedulerKind("HeunDiscreteScheduler", spacings=_SIGMAS),
    "lms": SchedulerKind("LMSDiscreteScheduler", spacings=("karras",)),
    "dpmpp_2m": SchedulerKind("DPMSolverMultistepScheduler", spacings=_ALL),
    "dpmpp_2m_sde": SchedulerKind("DPMSolverMultistepScheduler", SDE, _ALL),
    "dpmpp_2m_sde_heun": SchedulerKind("DPMSolverMultistepScheduler", SDE | {"solver_type": "heun"}, ("karras",)),
    "dpmpp_3m": SchedulerKind("DPMSolverMultistepScheduler", {"solver_order": 3}, ("karras",)),
    "dpmpp_3m_sde": SchedulerKind("DPMSolverMultistepScheduler", SDE | {"solver_order": 3}, ("karras", "exponential")),
    "dpmpp_2s": SchedulerKind("DPMSolverSinglestepScheduler", LOWER, ("karras",)),
    "dpmpp_sde": SchedulerKind("DPMSolverSinglestepScheduler", SDE | LOWER, ("karras",)),
    "dpm2": SchedulerKind("KDPM2DiscreteScheduler", spacings=("karras",)),
    "dpm2_a": SchedulerKind("KDPM2AncestralDiscreteScheduler", spacings=("karras",)),
    "unipc": SchedulerKind("UniPCMultistepScheduler", spacings=("karras",)),
    "deis": SchedulerKind("DEISMultistepScheduler", spacings=("karras",)),
    "pndm": SchedulerKind("PNDMScheduler", {"skip_prk_steps": True}),
    "lcm": SchedulerKind("LCMScheduler"),
    "tcd": SchedulerKind("TCDScheduler"),
}


def _kinds() -> Iterator[tuple[str, SchedulerKind]]:
    for name, kind in _SAMPLERS.items():
        yield name, kind
        for spacing in kind.spacings:
            yield f"{name}_{spacing}", SchedulerKind(kind.class_name, {**kind.overrides, **SPACINGS[spacing]})


KINDS: Mapping[str, SchedulerKind] = MappingProxyType(dict(_kinds()))


def make_scheduler(name: str, config: Mapping[str, Any], steps: int) -> Any:
    """A diffusers scheduler of its own, its timesteps set.

    Its tables stay on the CPU: indexing them there costs nothing and waits for no device.
    """
    scheduler = copy.deepcopy(_prototype(name, canonical(config)))
    scheduler.set_timesteps(steps)
    return scheduler


def canonical(config: Mapping[str, Any]) -> str:
    """A scheduler's configuration as a key."""
    return json.dumps(dict(config), sort_keys=True)


def alphas_bar(name: str, config: str) -> torch.Tensor:
    """The share of the picture's variance by timestep, as scheduler `name` has it; `config` is canonical."""
    known: torch.Tensor = _prototype(name, config).alphas_cumprod
    return known


@lru_cache(REMEMBERED_PROTOTYPES)
def _prototype(name: str, config: str) -> Any:
    """Made once: some constructors take half a second."""
    kind = KINDS[name]
    scheduler_class = getattr(diffusers, kind.class_name)
    expected = _parameters(scheduler_class.__init__)
    settings = {key: value for key, value in kind.overrides.items() if key in expected}
    return scheduler_class.from_config({**json.loads(config), **settings})


def step_options(scheduler: Any, generator: torch.Generator) -> dict[str, Any]:
    """What diffusers' pipelines hand to `step` besides latents and prediction: a generator, and an `eta` of zero."""
    expected = _parameters(type(scheduler).step)
    options: dict[str, Any] = {"generator": generator, "eta": 0.0}
    return {key: value for key, value in options.items() if key in expected}


@cache
def _parameters(function: Any) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)
