"""LoRAs of random numbers, written as the programs that train them do."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Conv2d

from darkroom.catalog.loras import read_lora
from darkroom.contract.lora import LoraSpec
from darkroom.contract.plan import PlannedLora
from tests.unit.engine.checkpoints import CPU
from worker.models.checkpoint import Checkpoint
from worker.models.lora import Applied, Lora, load_lora

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
CONVOLUTIONS = ("conv1", "conv2", "proj_in")
TEXT = ("q_proj", "v_proj", "out_proj", "fc1")

Halves = tuple[Tensor, Tensor]


def random_halves(
    checkpoint: Checkpoint, targets: Sequence[str], rank: int, seed: int
) -> dict[tuple[str, str], Halves]:
    """(network, module path) -> down and up, for all modules whose path ends in one of `targets`."""
    dice = torch.Generator().manual_seed(seed)
    halves = {}
    for network, root in networks(checkpoint).items():
        for path, module in root.named_modules():
            if path.endswith(tuple(targets)):
                halves[network, path] = _halves(module, rank, dice)
    assert halves
    return halves


def networks(checkpoint: Checkpoint) -> dict[str, torch.nn.Module]:
    encoders = [encoder.network for encoder in checkpoint.text._encoding.encoders]
    return {"unet": checkpoint.unet, **dict(zip(("text_encoder", "text_encoder_2"), encoders, strict=False))}


def _halves(module: torch.nn.Module, rank: int, dice: torch.Generator) -> Halves:
    out, into, *kernel = module.weight.shape
    up_kernel = [1, 1] if isinstance(module, Conv2d) else []
    down = torch.randn(rank, into, *kernel, generator=dice) / into**0.5
    return down, torch.randn(out, rank, *up_kernel, generator=dice) * 0.3


def write_kohya(file: Path, halves: dict[tuple[str, str], Halves], alpha: float) -> Path:
    """As kohya-ss: paths with underscores, one alpha a layer."""
    tensors = {}
    for (network, path), (down, up) in halves.items():
        prefix = "lora_unet_" if network == "unet" else "lora_te_text_model_"
        name = prefix + path.removeprefix("text_model.").replace(".", "_")
        tensors |= {
            f"{name}.lora_down.weight": down,
            f"{name}.lora_up.weight": up,
            f"{name}.alpha": torch.tensor(alpha),
        }
    save_file(tensors, file, metadata={"ss_network_module": "networks.lora"})
    return file


def write_peft(file: Path, halves: dict[tuple[str, str], Halves], metadata: dict[str, str] | None = None) -> Path:
    """As diffusers' `save_lora_weights`: paths with dots; without metadata the scale is one."""
    tensors = {}
    for (network, path), (down, up) in halves.items():
        tensors |= {f"{network}.{path}.lora_A.weight": down, f"{network}.{path}.lora_B.weight": up}
    save_file(tensors, file, metadata={"format": "pt", **(metadata or {})})
    return file


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def spec_of(file: Path) -> LoraSpec:
    return read_lora(file.stem, file, {}, sha256)


def load(file: Path) -> Lora:
    return load_lora(file, sha256(file), CPU, torch.float32)


def planned(file: Path, weight: float = 1.0) -> PlannedLora:
    return PlannedLora(model=file.stem, sha256=sha256(file), weight=weight)


def applied(file: Path, weight: float = 1.0) -> Applied:
    return Applied(load(file), weight)
