"""The schedulers a request may name. Their mathematics is the engine's; a test there holds the two lists equal."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

# Titles are those of A1111: the sampler, then how its noise levels are spaced.
_SPACINGS: Mapping[str, str] = {
    "karras": "Karras",
    "exponential": "Exponential",
    "beta": "Beta",
    "sgm_uniform": "SGM Uniform",
}
_SIGMAS = ("karras", "exponential", "beta")
_ALL = (*_SIGMAS, "sgm_uniform")

_SAMPLERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ddim": ("DDIM", ("sgm_uniform",)),
    "ddpm": ("DDPM", ()),
    "euler": ("Euler", _ALL),
    "euler_a": ("Euler a", ("sgm_uniform",)),
    "heun": ("Heun", _SIGMAS),
    "lms": ("LMS", ("karras",)),
    "dpmpp_2m": ("DPM++ 2M", _ALL),
    "dpmpp_2m_sde": ("DPM++ 2M SDE", _ALL),
    "dpmpp_2m_sde_heun": ("DPM++ 2M SDE Heun", ("karras",)),
    "dpmpp_3m": ("DPM++ 3M", ("karras",)),
    "dpmpp_3m_sde": ("DPM++ 3M SDE", ("karras", "exponential")),
    "dpmpp_2s": ("DPM++ 2S", ("karras",)),
    "dpmpp_sde": ("DPM++ SDE", ("karras",)),
    "dpm2": ("DPM2", ("karras",)),
    "dpm2_a": ("DPM2 a", ("karras",)),
    "unipc": ("UniPC", ("karras",)),
    "deis": ("DEIS", ("karras",)),
    "pndm": ("PLMS", ()),
    "lcm": ("LCM", ()),
    "tcd": ("TCD", ()),
}


def _parts() -> Iterator[tuple[str, tuple[str, str]]]:
    for name, (title, spacings) in _SAMPLERS.items():
        yield name, (title, "")
        for spacing in spacings:
            yield f"{name}_{spacing}", (title, _SPACINGS[spacing])


# Title of the sampler and of its spacing, by name; an empty one is that of the sampler's own.
SCHEDULER_PARTS: Mapping[str, tuple[str, str]] = MappingProxyType(dict(_parts()))

SCHEDULER_TITLES: Mapping[str, str] = MappingProxyType(
    {name: " ".join(filter(None, parts)) for name, parts in SCHEDULER_PARTS.items()}
)

SCHEDULERS: tuple[str, ...] = tuple(SCHEDULER_TITLES)

# These look twice before each step but the last.
_SECOND_ORDER = frozenset({"heun", "dpm2", "dpm2_a"})

# Distilled models know no more noise levels than these: `original_inference_steps` of diffusers' schedulers.
_MOST_STEPS: Mapping[str, int] = MappingProxyType({"lcm": 50, "tcd": 50})

OF_DIFFUSERS: Mapping[str, str] = MappingProxyType(
    {
        "DDIMScheduler": "ddim",
        "DDPMScheduler": "ddpm",
        "DEISMultistepScheduler": "deis",
        "DPMSolverMultistepScheduler": "dpmpp_2m",
        "DPMSolverSinglestepScheduler": "dpmpp_2s",
        "EulerAncestralDiscreteScheduler": "euler_a",
        "EulerDiscreteScheduler": "euler",
        "HeunDiscreteScheduler": "heun",
        "KDPM2AncestralDiscreteScheduler": "dpm2_a",
        "KDPM2DiscreteScheduler": "dpm2",
        "LCMScheduler": "lcm",
        "LMSDiscreteScheduler": "lms",
        "PNDMScheduler": "pndm",
        "TCDScheduler": "tcd",
        "UniPCMultistepScheduler": "unipc",
    }
)


def scheduler_of(class_name: str) -> str:
    """Our name for a diffusers class; `dpmpp_2m` where a checkpoint asks for one we do not have."""
    return OF_DIFFUSERS.get(class_name, "dpmpp_2m")


def passes(name: str, steps: int) -> int:
    """Forward passes that `steps` steps of scheduler `name` take."""
    if second_order(name):
        return 2 * steps - 1
    return steps + 1 if name == "pndm" and steps > 1 else steps


def second_order(name: str) -> bool:
    """Whether scheduler `name` takes two passes a step: such a step cannot be shared out between two models."""
    sampler = name
    for spacing in _SPACINGS:
        sampler = sampler.removesuffix(f"_{spacing}")
    return sampler in _SECOND_ORDER


def evenly_spaced(name: str) -> bool:
    """Whether the noise levels of scheduler `name` lie equally far apart in time."""
    return not name.endswith(tuple(f"_{spacing}" for spacing in _SIGMAS))


def most_steps(name: str) -> int | None:
    """Most steps scheduler `name` takes; None where nothing but the contract bounds them."""
    return _MOST_STEPS.get(name)
