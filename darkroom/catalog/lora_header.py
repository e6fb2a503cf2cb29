"""Which layers a LoRA file changes, told from its header alone. Two conventions of naming are read.

kohya-ss: `lora_unet_<layer, dots as underscores>.lora_down.weight`, `.lora_up.weight`, `.alpha`; `lora_te_` or
`lora_te1_` and `lora_te2_` for text encoders; layers of Stable Diffusion XL as Stability names them (`sgm_names`).
diffusers and PEFT: `unet.<layer>.lora_A.weight` and `lora_B.weight`, or the older `lora.down`, `lora_linear_layer.down`
and `processor.to_q_lora.down`; the scale is in the file's metadata.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.catalog.safetensors_header import TensorHeader
from darkroom.catalog.sgm_names import diffusers_name
from darkroom.contract.lora import LoraFormat

MAX_RANK = 1024
MAX_NAME_CHARS = 256

_KOHYA = re.compile(r"lora_(unet|te1?|te2)_(.+)\.(?:lora_(down|up)\.weight|(alpha))")
_DIFFUSERS = re.compile(
    r"(unet|text_encoder(?:_2)?)\.(.+)\.(?:lora_(A|B)\.weight|lora(?:_linear_layer)?\.(down|up)\.weight|(alpha))"
)
_PROCESSOR = re.compile(r"(unet|text_encoder(?:_2)?)\.(.+?)(?:\.processor)?\.to_(q|k|v|out)_lora\.(down|up)\.weight")

_NETWORKS = {"unet": "unet", "te": "text_encoder", "te1": "text_encoder", "te2": "text_encoder_2"}
_SIDES = {"A": "down", "B": "up"}
_OTHERS = {
    "dora_scale": "DoRA",
    "lora_magnitude_vector": "DoRA",
    "hada_": "LoHa",
    "lokr_": "LoKr",
    "oft_": "OFT",
    "lora_mid": "a Tucker decomposition",
}
# Where diffusers' own trainers write the rank, alpha and variant of each network.
_METADATA = "lora_adapter_metadata"

LayerKey = tuple[str, str]
"""(network, layer): the layer's path in the network with dots as underscores, which both conventions come to."""


class UnreadLora(ValueError):
    """Why a sound safetensors file is not a LoRA that we apply."""


@dataclass(frozen=True)
class LoraLayer:
    """One low-rank change of a layer, by the names of its tensors: scale * up(down(x)).

    `scale` is what the header says; where there is a tensor `alpha`, the scale is alpha / rank instead.
    """

    down: str
    up: str
    alpha: str | None
    scale: float
    down_shape: tuple[int, ...]
    up_shape: tuple[int, ...]

    @property
    def rank(self) -> int:
        return self.down_shape[0]


def lora_layers(
    tensors: Mapping[str, TensorHeader], metadata: Mapping[str, str]
) -> tuple[LoraFormat, dict[LayerKey, LoraLayer]]:
    """Every layer of the file. Raises: UnreadLora, naming the first tensor that is not understood."""
    sides: dict[LayerKey, dict[str, str]] = defaultdict(dict)
    formats: set[LoraFormat] = set()
    for name in tensors:
        found, network, layer, side = _named(name)
        formats.add(found)
        key = network, layer.replace(".", "_").removeprefix("text_model_")
        if side in sides[key]:
            raise UnreadLora(f"layer {key[1]} is there twice")
        sides[key][side] = name
    if len(formats) != 1:
        raise UnreadLora("it mixes two formats" if formats else "it has no layers")
    settings = _settings(metadata)
    return formats.pop(), {key: _layer(key, names, tensors, settings) for key, names in sides.items()}


def _named(name: str) -> tuple[LoraFormat, str, str, str]:
    """(format, network, layer, side) of a tensor; side is down, up or alpha."""
    if len(name) > MAX_NAME_CHARS:
        raise UnreadLora(f"tensor {name[:60]!r}… has a name of more than {MAX_NAME_CHARS} characters")
    if found := _KOHYA.fullmatch(name):
        network, layer, side, alpha = found.groups()
        return "kohya", _NETWORKS[network], diffusers_name(layer), side or alpha
    if found := _PROCESSOR.fullmatch(name):
        network, block, letter, side = found.groups()
        return "diffusers", network, f"{block}.{_attention_layer(network, letter)}", side
    if found := _DIFFUSERS.fullmatch(name):
        network, layer, new, old, alpha = found.groups()
        return "diffusers", network, layer, alpha or old or _SIDES[new]
    for mark, method in _OTHERS.items():
        if mark in name:
            raise UnreadLora(f"it is {method}, which is not applied here (tensor {name!r})")
    raise UnreadLora(f"tensor {name!r} follows no LoRA format known here")


def _attention_layer(network: str, letter: str) -> str:
    if network == "unet":
        return "to_out.0" if letter == "out" else f"to_{letter}"
    return f"{letter}_proj"


def _layer(
    key: LayerKey, names: Mapping[str, str], tensors: Mapping[str, TensorHeader], settings: Mapping[str, Any]
) -> LoraLayer:
    if "down" not in names or "up" not in names:
        raise UnreadLora(f"layer {key[1]} lacks its {'up' if 'down' in names else 'down'} half")
    down, up = (tuple(tensors[names[side]].shape) for side in ("down", "up"))
    if len(down) not in (2, 4) or len(down) != len(up) or down[0] != up[1]:
        raise UnreadLora(f"layer {key[1]} has halves that do not go together: {down} and {up}")
    if not 1 <= down[0] <= MAX_RANK:
        raise UnreadLora(f"layer {key[1]} has rank {down[0]}; from 1 to {MAX_RANK} are applied")
    alpha = names.get("alpha")
    if alpha is not None and tensors[alpha].shape not in ([], [1]):
        raise UnreadLora(f"tensor {alpha!r} is not one number")
    return LoraLayer(names["down"], names["up"], alpha, _scale(key, down[0], settings), down, up)


def _settings(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    """What diffusers wrote of its networks, `<network>.<setting>` -> value; empty where another program wrote."""
    if _METADATA not in metadata:
        return {}
    try:
        settings = json.loads(metadata[_METADATA])
    except (ValueError, RecursionError) as error:
        raise UnreadLora(f"its metadata {_METADATA} is not JSON") from error
    if not isinstance(settings, dict):
        raise UnreadLora(f"its metadata {_METADATA} is not a JSON object")
    if any(settings.get(f"{network}.use_dora") for network in _NETWORKS.values()):
        raise UnreadLora("it is DoRA, which is not applied here")
    return settings


def _scale(key: LayerKey, rank: int, settings: Mapping[str, Any]) -> float:
    """alpha / rank, or alpha / sqrt(rank) for rank-stabilised ones (Kalajdzievski 2023, arXiv 2312.03732)."""
    network, layer = key
    alpha = settings.get(f"{network}.lora_alpha", rank)
    patterns = settings.get(f"{network}.alpha_pattern") or {}
    if not isinstance(patterns, dict):
        raise UnreadLora(f"its {network}.alpha_pattern is not a JSON object")
    for pattern, value in patterns.items():
        # PEFT takes these for regular expressions; what trainers write are names of layers, or their ends.
        name = str(pattern).removeprefix("^").replace(".", "_").removeprefix("text_model_")
        if layer == name or layer.endswith(f"_{name}"):
            alpha = value
            break
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not abs(alpha) < 1e6:
        raise UnreadLora(f"its alpha of layer {layer} is not a number")
    return float(alpha) / (rank**0.5 if settings.get(f"{network}.use_rslora") else rank)
