"""Does a LoRA fit a checkpoint? Its shapes are held against the header of the checkpoint's own weights."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from darkroom.catalog.lora_header import LayerKey, LoraLayer
from darkroom.catalog.safetensors_header import read_header
from darkroom.catalog.single_file import original_networks
from darkroom.contract.model import ModelSpec

NETWORKS = ("unet", "text_encoder", "text_encoder_2")
_EMBEDDINGS = ("token_embedding", "position_embedding")

Shape = tuple[int, ...]


def layer_key(network: str, layer: str) -> LayerKey:
    """The key of a layer by its path in the network, as its modules or the weights of a checkpoint name it."""
    return network, layer.removeprefix("text_model.").replace(".", "_")


def base_shapes(spec: ModelSpec) -> dict[LayerKey, Shape]:
    """Weight shapes of the linear and convolution layers of a checkpoint: (out, in) or (out, in, height, width).

    Raises: UnsoundHeader, OSError; not for a checkpoint that the catalog has read.
    """
    shapes: dict[LayerKey, Shape] = {}
    if spec.layout == "single_file":
        for network, tensors in original_networks(spec).items():
            if network in NETWORKS:
                shapes |= dict(_layers(network, ((name, source.shape) for name, source in tensors.items())))
        return shapes
    for file in spec.weights:
        network = file.partition("/")[0]
        if network in NETWORKS:
            header = read_header(Path(spec.path) / file)
            shapes |= dict(_layers(network, ((name, tuple(tensor.shape)) for name, tensor in header.items())))
    return shapes


def _layers(network: str, tensors: Iterable[tuple[str, Shape]]) -> Iterable[tuple[LayerKey, Shape]]:
    for name, shape in tensors:
        layer, _, kind = name.rpartition(".")
        if kind == "weight" and len(shape) in (2, 4) and layer.rpartition(".")[2] not in _EMBEDDINGS:
            yield layer_key(network, layer), shape


def misfit(layers: Mapping[LayerKey, LoraLayer], base: Mapping[LayerKey, Shape]) -> str | None:
    """Why these layers cannot be laid over `base`; None when they can."""
    for (network, name), layer in layers.items():
        shape = base.get((network, name))
        if shape is None:
            return f"it changes layer {name} of the {network}, which the model does not have"
        # (rank, in, height, width) and (out, rank, 1, 1) for a convolution, (rank, in) and (out, rank) otherwise.
        down, up = (layer.rank, *shape[1:]), (shape[0], layer.rank, *(1 for _ in shape[2:]))
        if (layer.down_shape, layer.up_shape) != (down, up):
            made_for = (layer.up_shape[0], *layer.down_shape[1:])
            return f"layer {name} of the {network} has shape {_words(shape)}, the LoRA is for {_words(made_for)}"
    return None


def _words(shape: Shape) -> str:
    return "x".join(map(str, shape))
