"""Names of tensors in a single-file checkpoint, as Stability and its heirs write them -> networks of diffusers.

Nothing is loaded: names and shapes of the header are enough. After `diffusers.loaders.single_file_utils`. What belongs
to no network, such as noise schedules, optimiser state and moving averages (EMA), is passed over, as there.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from darkroom.catalog.sgm_names import diffusers_name

Shape = tuple[int, ...]
Change = Literal["none", "transposed", "flattened", "query", "key", "value"]

# Lightning wraps whatever it saves.
_WRAPPINGS = ("state_dict.",)
# OpenCLIP's text encoder of Stable Diffusion 2 is read before its last block; diffusers leaves that block out.
_TRIMMED_BLOCKS = 23

_OPEN_CLIP = {
    "positional_embedding": "embeddings.position_embedding.weight",
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
_BLOCK = re.compile(r"transformer\.resblocks\.(\d{1,4})\.(.+)")
_IN_BLOCK = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
_THIRDS: tuple[tuple[str, Change], ...] = (("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value"))

_VAE_LEVEL = re.compile(
    r"(encoder\.down|decoder\.up)\.(\d{1,4})\.(?:block\.(\d{1,4})\.(.+)|(?:down|up)sample\.conv\.(.+))"
)
_VAE_MIDDLE = re.compile(r"(encoder|decoder)\.mid\.(?:block_([12])\.(.+)|attn_1\.(norm|q|k|v|proj_out)\.(.+))")
_VAE_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


class Source(NamedTuple):
    """Where a tensor of a diffusers network lies in the file, what is done to it, and its shape then."""

    key: str
    change: Change
    shape: Shape


Networks = dict[str, dict[str, Source]]
"""Component of a diffusers folder -> name of a tensor there -> where it comes from."""

Renaming = Callable[[str, Shape], Iterable[tuple[str, Change]]]


def networks_in(shapes: Mapping[str, Shape]) -> Networks:
    """The networks of a checkpoint. Those it lacks are not in the answer."""
    ups = _ups(shapes)
    prefixes: tuple[tuple[str, str, Renaming], ...] = (
        ("model.diffusion_model.", "unet", _unet),
        ("first_stage_model.", "vae", lambda name, shape: vae_names(name, shape, ups)),
        ("cond_stage_model.transformer.", "text_encoder", _clip),
        ("cond_stage_model.model.", "text_encoder", _open_clip),
        ("conditioner.embedders.0.transformer.", "text_encoder", _clip),
        ("conditioner.embedders.0.model.", "text_encoder_2", _projecting_open_clip),
        ("conditioner.embedders.1.model.", "text_encoder_2", _projecting_open_clip),
    )
    networks: Networks = {}
    for key, shape in shapes.items():
        bare = _unwrapped(key)
        for prefix, component, renaming in prefixes:
            if bare.startswith(prefix):
                _add(networks.setdefault(component, {}), key, shape, renaming(bare.removeprefix(prefix), shape))
    if any(_unwrapped(key).startswith("cond_stage_model.model.") for key in shapes):
        networks["text_encoder"] = _without_last_block(networks["text_encoder"])
    return networks


def vae_in(shapes: Mapping[str, Shape]) -> dict[str, Source]:
    """The VAE of a file that holds nothing else, with or without the prefix it has in checkpoints.

    Names that are diffusers' already stay.
    """
    inside = networks_in(shapes).get("vae")
    if inside is not None:
        return inside
    ups = _ups(shapes)
    vae: dict[str, Source] = {}
    for key, shape in shapes.items():
        if key.startswith(("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")):
            _add(vae, key, shape, vae_names(key, shape, ups))
    return vae


def _ups(keys: Iterable[str]) -> int:
    """Levels of the decoder."""
    levels = (re.search(r"decoder\.up\.(\d{1,4})\.", key) for key in keys)
    return 1 + max((int(level[1]) for level in levels if level), default=-1)


def _add(network: dict[str, Source], key: str, shape: Shape, renamed: Iterable[tuple[str, Change]]) -> None:
    for name, change in renamed:
        network[name] = Source(key, change, _changed(shape, change))


def _changed(shape: Shape, change: Change) -> Shape:
    match change:
        case "transposed":
            return shape[::-1]
        case "flattened":
            return shape[:2]
        case "query" | "key" | "value":
            return (*(side // 3 for side in shape[:1]), *shape[1:])
    return shape


def _unwrapped(key: str) -> str:
    for wrapping in _WRAPPINGS:
        key = key.removeprefix(wrapping)
    return key


def _unet(name: str, shape: Shape) -> Iterator[tuple[str, Change]]:
    layer, _, kind = name.rpartition(".")
    yield f"{diffusers_name(layer, '.')}.{kind}", "none"


def vae_names(name: str, shape: Shape, ups: int) -> Iterator[tuple[str, Change]]:
    """The name in diffusers of a tensor of the original VAE, which counts its `ups` levels from below."""
    if found := _VAE_LEVEL.fullmatch(name):
        way, level, block, inner, resampled = found.groups()
        down = way == "encoder.down"
        around = f"{way}_blocks.{level if down else ups - 1 - int(level)}"
        if block is None:
            yield f"{around}.{'down' if down else 'up'}samplers.0.conv.{resampled}", "none"
        else:
            yield f"{around}.resnets.{block}.{inner.replace('nin_shortcut', 'conv_shortcut')}", "none"
    elif found := _VAE_MIDDLE.fullmatch(name):
        side, block, inner, part, kind = found.groups()
        if block is not None:
            yield f"{side}.mid_block.resnets.{int(block) - 1}.{inner}", "none"
        else:
            yield f"{side}.mid_block.attentions.0.{_VAE_ATTENTION[part]}.{kind}", _flat(shape)
    elif not name.startswith("loss."):
        yield re.sub(r"^(encoder|decoder)\.norm_out\.", r"\1.conv_norm_out.", name), "none"


def _flat(shape: Shape) -> Change:
    """Attention is made of 1 x 1 convolutions there, of linear layers here."""
    return "flattened" if len(shape) > 2 else "none"


def _clip(name: str, shape: Shape) -> Iterator[tuple[str, Change]]:
    """transformers' own names, by which CLIP of OpenAI is there already."""
    name = name.removeprefix("text_model.")
    if name.startswith(("embeddings.", "encoder.", "final_layer_norm.")) and not name.endswith("position_ids"):
        yield name, "none"


def _open_clip(name: str, shape: Shape) -> Iterator[tuple[str, Change]]:
    if name in _OPEN_CLIP:
        yield _OPEN_CLIP[name], "none"
    elif found := _BLOCK.fullmatch(name):
        block, inner = f"encoder.layers.{found[1]}", found[2]
        if inner.startswith("attn.in_proj_"):
            kind = inner.removeprefix("attn.in_proj_")
            yield from ((f"{block}.self_attn.{projection}.{kind}", third) for projection, third in _THIRDS)
        else:
            layer, _, kind = inner.rpartition(".")
            yield f"{block}.{_IN_BLOCK.get(layer, layer.replace('attn.', 'self_attn.'))}.{kind}", "none"


def _projecting_open_clip(name: str, shape: Shape) -> Iterator[tuple[str, Change]]:
    """Of Stable Diffusion XL: whole, and with what makes one vector of the text."""
    if name in ("text_projection", "text_projection.weight"):
        yield "text_projection.weight", "transposed" if name == "text_projection" else "none"
    else:
        yield from _open_clip(name, shape)


def _without_last_block(encoder: Mapping[str, Source]) -> dict[str, Source]:
    blocks = {int(name.split(".")[2]) for name in encoder if name.startswith("encoder.layers.")}
    if len(blocks) in (0, _TRIMMED_BLOCKS):  # some converters have left it out before us
        return dict(encoder)
    last = f"encoder.layers.{max(blocks)}."
    return {name: source for name, source in encoder.items() if not name.startswith(last)}
