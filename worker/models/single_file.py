"""A file in Stability's own layout -> networks of diffusers and transformers, tensor by tensor and none left over."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import safe_open
from torch import Tensor
from transformers import CLIPTextConfig

from darkroom.catalog.foreign import refuse_foreign_config
from darkroom.catalog.original_names import Source
from darkroom.errors import BrokenWeights
from worker.models.networks import broken
from worker.models.tensor_file import reading

Config = dict[str, Any]


def build_network(kind: Any, config: Config, sources: Mapping[str, Source], file: Path, dtype: torch.dtype) -> Any:
    """The network of class `kind` with `config`, its weights from `file`, in eval mode and without gradients.

    It is made without weights first, so that memory holds one copy of them. Raises: BrokenWeights naming the file, and
    the tensor that is missing, of another shape, or not of such a network.
    """
    refuse_foreign_config(file.name, config)
    with broken(file.name), torch.device("meta"):
        network = _empty(kind, config)
    wanted = _by_own_names(network, sources)
    _check_names(network, wanted, file)
    with reading(file), safe_open(file, framework="pt") as opened:
        # Copied: what is left mapped would change, or end the process, when somebody writes over the file.
        weights = {name: _own(opened.get_tensor(source.key), source, dtype) for name, source in wanted.items()}
    with broken(file.name):
        network.load_state_dict(weights, strict=True, assign=True)
    _fill_positions(network)
    return network.eval().requires_grad_(False)


def _own(tensor: Tensor, source: Source, dtype: torch.dtype) -> Tensor:
    return changed(tensor, source).to(dtype, copy=True, memory_format=torch.contiguous_format)


def changed(tensor: Tensor, source: Source) -> Tensor:
    """What the original layout has otherwise: projections fused, transposed, or as 1 x 1 convolutions."""
    match source.change:
        case "transposed":
            return tensor.T
        case "flattened":
            return tensor.reshape(tensor.shape[:2])
        case "query":
            return tensor.chunk(3)[0]
        case "key":
            return tensor.chunk(3)[1]
        case "value":
            return tensor.chunk(3)[2]
    return tensor


def _empty(kind: Any, config: Config) -> Any:
    return kind.from_config(config) if kind in (UNet2DConditionModel, AutoencoderKL) else kind(CLIPTextConfig(**config))


def _by_own_names(network: Any, sources: Mapping[str, Source]) -> dict[str, Source]:
    """transformers has text encoders whose names begin with `text_model.`, and others whose do not."""
    own = set(network.state_dict())
    return {
        name if name in own or (long := f"text_model.{name}") not in own else long: s for name, s in sources.items()
    }


def _check_names(network: Any, wanted: Mapping[str, Source], file: Path) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    for name in shapes:
        if name not in wanted:
            raise BrokenWeights(file.name, f"lacks what diffusers calls {name}")
    for name, source in wanted.items():
        if name not in shapes:
            raise BrokenWeights(file.name, f"tensor {source.key[:120]!r} is of no network that we know")
        if shapes[name] != source.shape:
            raise BrokenWeights(
                file.name, f"tensor {source.key[:120]!r} has shape {list(source.shape)}, not {list(shapes[name])}"
            )


def _fill_positions(network: Any) -> None:
    """Text encoders count their positions in a buffer that no file holds."""
    for name, buffer in list(network.named_buffers()):
        if buffer.is_meta:
            owner = network.get_submodule(name.rpartition(".")[0])
            positions = torch.arange(buffer.numel()).reshape(buffer.shape)
            owner.register_buffer(name.rpartition(".")[2], positions, persistent=False)
