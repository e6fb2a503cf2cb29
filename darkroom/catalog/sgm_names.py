"""Names of layers in Stability's own U-Net (`ldm` and `sgm`) -> those of diffusers.

In them lie single-file checkpoints, whose names have dots; and by them kohya-ss trains Stable Diffusion XL, with
underscores in the place of dots. After `_maybe_map_sgm_blocks_to_diffusers` and `convert_ldm_unet_checkpoint` of
diffusers, for two layers a block, as all of Stable Diffusion has.
"""

import re

_LAYERS = 3  # of an outer block: two and the one that changes the size, or three on the way up

_OUTER = re.compile(r"(input|output)_blocks[._](\d{1,2})[._]([012])[._](.+)")
_MIDDLE = re.compile(r"middle_block[._]([012])[._](.+)")
_MIDDLE_PARTS = (("resnets", "0"), ("attentions", "0"), ("resnets", "1"))
_ALONE = {
    "input_blocks_0_0": ("conv_in",),
    "out_0": ("conv_norm_out",),
    "out_2": ("conv_out",),
    "time_embed_0": ("time_embedding", "linear_1"),
    "time_embed_2": ("time_embedding", "linear_2"),
    "label_emb_0_0": ("add_embedding", "linear_1"),
    "label_emb_0_2": ("add_embedding", "linear_2"),
}
_RESNET = {
    "in_layers_0": "norm1",
    "in_layers_2": "conv1",
    "out_layers_0": "norm2",
    "out_layers_3": "conv2",
    "emb_layers_1": "time_emb_proj",
    "skip_connection": "conv_shortcut",
}


def diffusers_name(layer: str, dot: str = "_") -> str:
    """The layer's name in diffusers, its parts joined by `dot`, as in `layer`; the same when it is no name of `sgm`."""
    if alone := _ALONE.get(layer.replace(".", "_")):
        return dot.join(alone)
    if found := _MIDDLE.fullmatch(layer):
        return dot.join(("mid_block", *_MIDDLE_PARTS[int(found[1])], _inner(found[2])))
    if found := _OUTER.fullmatch(layer):
        way, number, part, rest = found[1], int(found[2]), int(found[3]), found[4]
        return dot.join(_outer("down" if way == "input" else "up", number - (way == "input"), part, rest))
    return layer


def _outer(way: str, number: int, part: int, rest: str) -> tuple[str, ...]:
    block, layer = divmod(number, _LAYERS)
    if rest in ("op", "conv"):
        return f"{way}_blocks", str(block), f"{way}samplers", "0", "conv"
    return f"{way}_blocks", str(block), "attentions" if part else "resnets", str(layer), _inner(rest)


def _inner(rest: str) -> str:
    return _RESNET.get(rest.replace(".", "_"), rest)
