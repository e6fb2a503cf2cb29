"""Names of layers in Stability's own U-Net (`sgm`), by which kohya-ss trains Stable Diffusion XL -> those of diffusers.

After `_maybe_map_sgm_blocks_to_diffusers` of diffusers, for two layers a block, as all of Stable Diffusion has. Dots
are underscores in both.
"""

import re

_LAYERS = 3  # of an outer block: two and the one that changes the size, or three on the way up

_OUTER = re.compile(r"(input|output)_blocks_(\d{1,2})_([012])_(.+)")
_MIDDLE = re.compile(r"middle_block_([012])_(.+)")
_MIDDLE_PARTS = ("resnets_0", "attentions_0", "resnets_1")
_ALONE = {
    "input_blocks_0_0": "conv_in",
    "out_2": "conv_out",
    "time_embed_0": "time_embedding_linear_1",
    "time_embed_2": "time_embedding_linear_2",
    "label_emb_0_0": "add_embedding_linear_1",
    "label_emb_0_2": "add_embedding_linear_2",
}
_RESNET = {
    "in_layers_2": "conv1",
    "out_layers_3": "conv2",
    "emb_layers_1": "time_emb_proj",
    "skip_connection": "conv_shortcut",
}


def diffusers_name(layer: str) -> str:
    """The layer's name in diffusers; the same when it is no name of `sgm`."""
    if layer in _ALONE:
        return _ALONE[layer]
    if found := _MIDDLE.fullmatch(layer):
        part, rest = int(found[1]), found[2]
        return f"mid_block_{_MIDDLE_PARTS[part]}_{_RESNET.get(rest, rest)}"
    if found := _OUTER.fullmatch(layer):
        way, number, part, rest = found[1], int(found[2]), int(found[3]), found[4]
        return _outer("down" if way == "input" else "up", number - (way == "input"), part, rest)
    return layer


def _outer(way: str, number: int, part: int, rest: str) -> str:
    block, layer = divmod(number, _LAYERS)
    if rest in ("op", "conv"):
        return f"{way}_blocks_{block}_{way}samplers_0_conv"
    kind = "attentions" if part else "resnets"
    return f"{way}_blocks_{block}_{kind}_{layer}_{_RESNET.get(rest, rest)}"
