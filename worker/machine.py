"""What a receipt says of the machine, and how much of it finishing may use."""

import os
import platform
from importlib.metadata import version

import torch

WAITING = 4
LIBRARIES = ("darkroom", "torch", "diffusers", "transformers", "safetensors")


def versions() -> dict[str, str]:
    """What must be equal for a picture to be made again bit by bit."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type} ({platform.machine()})"


def finishing_threads(*, waits: bool = False) -> int:
    """Marking and signing are CPU work; half of the cores, for the engine feeds its device from one of the others.

    Where signing waits for others, a few more: while they wait they use no core.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4
    return max(1, cores // 2) + (WAITING if waits else 0)
