"""A LoRA file -> its tensors, checked. What it means is read in `darkroom.catalog.lora_header`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from darkroom.catalog.lora_header import LayerKey, LoraLayer, lora_layers
from darkroom.catalog.safetensors_header import read_header, read_metadata
from darkroom.errors import BrokenWeights
from worker.models.tensor_file import read_tensors, reading


@dataclass(frozen=True, eq=False)
class Pair:
    """A change of one layer of rank P, its scale in `up`: up(down(x)).

    Linear: `down` P I, `up` O P. Convolution: `down` P I H W as the layer's own kernel, `up` O P 1 1.
    """

    down: Tensor
    up: Tensor


@dataclass(frozen=True, eq=False)
class Lora:
    """Known by the `sha256` of its file. `bytes` is what it takes on the device."""

    sha256: str
    layers: Mapping[LayerKey, Pair]
    bytes: int


@dataclass(frozen=True, eq=False)
class Applied:
    """A LoRA and how strongly it counts."""

    lora: Lora
    weight: float

    @property
    def key(self) -> tuple[str, float]:
        """The same for the same change."""
        return self.lora.sha256, self.weight


def load_lora(path: Path, sha256: str, device: torch.device, dtype: torch.dtype) -> Lora:
    """Read the file at `path` once, and see that it is the one with this hash and holds nothing but finite numbers.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    with reading(path):
        layers = lora_layers(read_header(path), read_metadata(path))[1]
        tensors = read_tensors(path, sha256)
    pairs = {key: _pair(layer, tensors, path.name, device, dtype) for key, layer in layers.items()}
    return Lora(sha256, pairs, sum(pair.down.nbytes + pair.up.nbytes for pair in pairs.values()))


def _pair(layer: LoraLayer, tensors: Mapping[str, Tensor], file: str, device: torch.device, dtype: torch.dtype) -> Pair:
    scale = layer.scale if layer.alpha is None else float(tensors[layer.alpha]) / layer.rank
    scaled = {layer.down: tensors[layer.down].float(), layer.up: tensors[layer.up].float() * scale}
    for name, tensor in scaled.items():
        # In the precision they will have: half precision turns large numbers into infinities.
        if not torch.isfinite(tensor.to(dtype)).all():
            raise BrokenWeights(file, f"tensor {name!r} holds values that are not finite numbers")
    return Pair(*(tensor.to(device, dtype).contiguous() for tensor in scaled.values()))
