"""A VAE that requests may name in the place of their model's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL

from darkroom.catalog.weights import file_digest
from darkroom.contract.vae import VaeSpec
from darkroom.errors import BrokenWeights
from worker.models.networks import load_network


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """`network` is in eval mode on its device; `bytes` is what its weights take there.

    `scaling` is what its latents are multiplied with for a U-Net; 0 where its file does not say.
    """

    spec: VaeSpec
    network: Any
    bytes: int
    scaling: float


def load_autoencoder(spec: VaeSpec, device: torch.device, dtype: torch.dtype) -> Autoencoder:
    """Load what `spec` describes, and see that it still is that. Raises: MissingWeights, BrokenWeights."""
    folder = Path(spec.path)
    file = f"{folder.name}/{spec.weights}"
    if file_digest(folder.parent, file) != spec.sha256:
        raise BrokenWeights(file, "is not the file that the catalog describes")
    network = load_network(AutoencoderKL, folder.parent, file, dtype).to(device)
    return Autoencoder(spec, network, network_bytes(network), spec.scaling)


def network_bytes(network: Any) -> int:
    """Bytes of its weights."""
    return sum(tensor.numel() * tensor.element_size() for tensor in (*network.parameters(), *network.buffers()))
