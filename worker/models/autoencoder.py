"""A VAE that requests may name in the place of their model's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL

from darkroom.catalog.vae_file import read_vae_file
from darkroom.catalog.weights import file_digest
from darkroom.contract.vae import VaeSpec
from darkroom.errors import BrokenWeights
from worker.models.networks import load_network, placed
from worker.models.palette import Palette
from worker.models.single_file import build_network


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """`network` is in eval mode on its device; `bytes` is what its weights take there.

    `scaling` is what its latents are multiplied with for a U-Net; 0 where its file does not say. `palette`: None where
    no sketches are made.
    """

    spec: VaeSpec
    network: Any
    bytes: int
    scaling: float
    palette: Palette | None = None


def load_autoencoder(spec: VaeSpec, device: torch.device, dtype: torch.dtype) -> Autoencoder:
    """Load what `spec` describes, and see that it still is that. Raises: MissingWeights, BrokenWeights."""
    network = placed((_of_file if spec.layout == "single_file" else _of_folder)(spec, dtype), device)
    return Autoencoder(spec, network, network_bytes(network), spec.scaling)


def _of_folder(spec: VaeSpec, dtype: torch.dtype) -> Any:
    folder = Path(spec.path)
    file = f"{folder.name}/{spec.weights}"
    _verify(spec, folder.parent, file)
    return load_network(AutoencoderKL, folder.parent, file, dtype)


def _of_file(spec: VaeSpec, dtype: torch.dtype) -> Any:
    file = Path(spec.path) / spec.weights
    _verify(spec, file.parent, file.name)
    found = read_vae_file(file)
    return build_network(AutoencoderKL, found.config, found.sources, file, dtype)


def _verify(spec: VaeSpec, folder: Path, file: str) -> None:
    """See that what is loaded is what receipts will name."""
    if file_digest(folder, file) != spec.sha256:
        raise BrokenWeights(file, "is not the file that the catalog describes")


def network_bytes(network: Any) -> int:
    """Bytes of its weights."""
    return sum(tensor.numel() * tensor.element_size() for tensor in (*network.parameters(), *network.buffers()))
