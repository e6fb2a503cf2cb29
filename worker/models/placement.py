"""Where networks live and in which precision, by the settings."""

import os
from dataclasses import dataclass

import torch

from darkroom.errors import ConfigurationError
from darkroom.settings import Settings
from worker.models.kernels import PLAIN, Kernels

# The rest is for activations and for the decoder's peak.
WEIGHT_SHARE = 0.6

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Placement:
    """`budget_bytes` is what the weights of all loaded models may take together."""

    device: torch.device
    dtype: torch.dtype
    budget_bytes: int
    kernels: Kernels = PLAIN


def placement(settings: Settings) -> Placement:
    """Settle device, dtype and memory budget. Raises: ConfigurationError for a device this machine lacks."""
    device = device_named(settings.device)
    kernels = Kernels(settings.attention, compiled=settings.compile == "regional")
    return Placement(device, _dtype(settings.dtype, device), int(_memory_bytes(device) * WEIGHT_SHARE), kernels)


def device_named(name: str) -> torch.device:
    """Raises: ConfigurationError for a device this machine lacks."""
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigurationError(f"device {name!r} is not one torch knows") from error
    if device.type not in ("cpu", "cuda"):
        raise ConfigurationError(f"device {name!r} is neither cpu nor cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(f"device {name!r} is not in this machine")
    return device


def _dtype(name: str, device: torch.device) -> torch.dtype:
    """Half precision only where it is fast; CPUs compute in float32."""
    if name == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    return _DTYPES[name]


def _memory_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
