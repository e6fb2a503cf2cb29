"""Does a ControlNet fit a checkpoint? What it adds is held against the layers of the U-Net that take it, by headers.

Only what meets is compared, so that smaller ControlNets, which leave out attention, fit as well.
"""

import re
from collections.abc import Mapping

from darkroom.catalog.lora_fit import Shape, layer_key
from darkroom.catalog.lora_header import LayerKey

_SKIP = re.compile(r"controlnet_down_blocks_(\d{1,4})")
_BLOCK = re.compile(r"down_blocks_(\d{1,4})_(?:resnets_(\d{1,4})_conv2|downsamplers_0_conv)")
_ATTENTION = re.compile(r"(?:down_blocks_\d+|mid_block)_attentions_.*attn2_to_k")

Layers = Mapping[str, Shape]


def layers_of(tensors: Mapping[str, Shape]) -> dict[str, Shape]:
    """Weight shapes of linear and convolution layers, named as in `base_shapes`."""
    named = ((*name.rpartition("."), shape) for name, shape in tensors.items())
    return {
        layer_key("", layer)[1]: shape
        for layer, _, kind, shape in named
        if layer and kind == "weight" and len(shape) in (2, 4)
    }


def unet_layers(base: Mapping[LayerKey, Shape]) -> dict[str, Shape]:
    """Of what `base_shapes` found, the U-Net's part."""
    return {layer: shape for (network, layer), shape in base.items() if network == "unet"}


def control_misfit(control: Layers, unet: Layers) -> str | None:
    """Why what the ControlNet finds cannot be added to the U-Net; None when it can."""
    gives, takes = _given(control), _taken(unet)
    if gives != takes:
        return f"it adds to {len(gives)} layers, {_words(gives)} wide; the model's {len(takes)} are {_words(takes)}"
    reads, spoken = _width(control), _width(unet)
    if reads and reads != spoken:
        return f"it reads words {reads} wide, those of the model are {spoken}"
    if any(unet.get(layer) != shape for layer, shape in control.items() if layer.startswith("add_embedding_")):
        return "it is told other things besides latents, time and words than the model"
    return None


def _given(control: Layers) -> list[int]:
    """Channels it adds, from the first skip connection to the middle."""
    skips = {int(found[1]): shape[0] for layer, shape in control.items() if (found := _SKIP.fullmatch(layer))}
    middle = control.get("controlnet_mid_block", (0,))[0]
    return [*(skips[index] for index in sorted(skips)), middle]


def _taken(unet: Layers) -> list[int]:
    """Channels of the U-Net's skip connections, in their order, and of its middle, which is as wide as the last."""
    found = [(match, shape[0]) for layer, shape in unet.items() if (match := _BLOCK.fullmatch(layer))]
    # The downsampler comes after the residual blocks, however many.
    placed = sorted((int(match[1]), int(match[2] or len(unet)), width) for match, width in found)
    widths = [unet.get("conv_in", (0,))[0], *(width for _, _, width in placed)]
    return [*widths, widths[-1]]


def _width(layers: Layers) -> int:
    return next((shape[1] for layer, shape in layers.items() if _ATTENTION.fullmatch(layer)), 0)


def _words(widths: list[int]) -> str:
    return ", ".join(map(str, widths))
