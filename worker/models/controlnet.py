"""A ControlNet that requests may name, beside their model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel
from torch import Tensor

from darkroom.catalog.weights import file_digest
from darkroom.contract.controlnet import ControlnetSpec
from darkroom.errors import BrokenWeights
from worker.models.autoencoder import network_bytes
from worker.models.networks import load_network, placed


@dataclass(frozen=True, eq=False)
class Controlnet:
    """Networks in eval mode on their device; `bytes` is what their weights take there.

    `reader` brings a map to the size of latents. It sees neither noise nor time, so it runs once an image, and the
    `network` without it at every step.
    """

    spec: ControlnetSpec
    network: Any
    reader: Any
    bytes: int

    @torch.inference_mode()
    def read(self, map_13HW: Tensor) -> Tensor:
        """Of a map in [0, 1], features 1 C h w. Alone, so that its bits do not depend on who else is served."""
        weights = next(self.reader.parameters())
        features: Tensor = self.reader(map_13HW.to(weights.device, weights.dtype))
        return features


def load_controlnet(spec: ControlnetSpec, device: torch.device, dtype: torch.dtype) -> Controlnet:
    """Load what `spec` describes, and see that it still is that. Raises: MissingWeights, BrokenWeights."""
    folder = Path(spec.path)
    file = f"{folder.name}/{spec.weights}"
    if file_digest(folder.parent, file) != spec.sha256:
        raise BrokenWeights(file, "is not the file that the catalog describes")
    network = placed(load_network(ControlNetModel, folder.parent, file, dtype), device)
    size = network_bytes(network)
    reader = network.controlnet_cond_embedding
    network.controlnet_cond_embedding = torch.nn.Identity()
    return Controlnet(spec, network, reader, size)
