"""The schedulers a request may name. Their mathematics is the engine's; a test there holds the two lists equal."""

from collections.abc import Mapping
from types import MappingProxyType

SCHEDULER_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "ddim": "DDIM",
        "euler": "Euler",
        "euler_a": "Euler a",
        "dpmpp_2m": "DPM++ 2M",
        "dpmpp_2m_karras": "DPM++ 2M Karras",
        "dpmpp_2m_sde": "DPM++ 2M SDE",
        "dpmpp_2m_sde_karras": "DPM++ 2M SDE Karras",
        "unipc": "UniPC",
        "ddpm": "DDPM",
        "lms": "LMS",
    }
)

SCHEDULERS: tuple[str, ...] = tuple(SCHEDULER_TITLES)

_OF_DIFFUSERS: Mapping[str, str] = MappingProxyType(
    {
        "DDIMScheduler": "ddim",
        "EulerDiscreteScheduler": "euler",
        "EulerAncestralDiscreteScheduler": "euler_a",
        "DPMSolverMultistepScheduler": "dpmpp_2m",
        "UniPCMultistepScheduler": "unipc",
        "DDPMScheduler": "ddpm",
        "LMSDiscreteScheduler": "lms",
    }
)


def scheduler_of(class_name: str) -> str:
    """Our name for a diffusers class; `dpmpp_2m` where a checkpoint asks for one we do not have (often PNDM)."""
    return _OF_DIFFUSERS.get(class_name, "dpmpp_2m")
