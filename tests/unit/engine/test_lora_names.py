"""Layers of Stable Diffusion XL by Stability's names are those that diffusers takes them for."""

from types import SimpleNamespace

import torch
from diffusers.loaders.lora_conversion_utils import (
    _convert_non_diffusers_lora_to_diffusers,
    _maybe_map_sgm_blocks_to_diffusers,
)

from darkroom.catalog.lora_header import lora_layers
from darkroom.catalog.safetensors_header import TensorHeader

ATTENTION = ("proj_in", "transformer_blocks_0_attn1_to_q", "transformer_blocks_1_attn2_to_out_0", "proj_out")
FEED_FORWARD = ("transformer_blocks_0_ff_net_0_proj", "transformer_blocks_1_ff_net_2")
RESNET = ("in_layers_2", "out_layers_3", "emb_layers_1")
LAYERS = [
    *(f"input_blocks_{block}_0_{layer}" for block in (1, 2, 4, 5, 7, 8) for layer in RESNET),
    *(f"input_blocks_{block}_1_{layer}" for block in (4, 5, 7, 8) for layer in (*ATTENTION, *FEED_FORWARD)),
    *(f"input_blocks_{block}_0_op" for block in (3, 6)),
    *(f"input_blocks_{block}_0_skip_connection" for block in (4, 7)),
    *(f"middle_block_{part}_{layer}" for part in (0, 2) for layer in RESNET),
    *(f"middle_block_1_{layer}" for layer in (*ATTENTION, *FEED_FORWARD)),
    *(f"output_blocks_{block}_0_{layer}" for block in range(9) for layer in (*RESNET, "skip_connection")),
    *(f"output_blocks_{block}_1_{layer}" for block in range(6) for layer in (*ATTENTION, *FEED_FORWARD)),
    *(f"output_blocks_{block}_2_conv" for block in (2, 5)),
    "input_blocks_0_0",
    "out_2",
    "time_embed_0",
    "time_embed_2",
    "label_emb_0_0",
    "label_emb_0_2",
]


def headers(names: list[str]) -> dict[str, TensorHeader]:
    return {name: TensorHeader(dtype="F32", shape=[1, 1], data_offsets=[0, 4]) for name in names}


def test_every_layer_of_stable_diffusion_xl_is_found() -> None:
    names = [f"lora_unet_{layer}.lora_{side}.weight" for layer in LAYERS for side in ("down", "up")]
    mapped = _maybe_map_sgm_blocks_to_diffusers(
        {name: torch.zeros(1, 1) for name in names}, SimpleNamespace(layers_per_block=2)
    )
    converted, _ = _convert_non_diffusers_lora_to_diffusers(mapped)

    form, ours = lora_layers(headers(names), {})
    _, expected = lora_layers(headers([f"unet.{name.removeprefix('unet.')}" for name in converted]), {})

    assert form == "kohya"
    assert len(ours) == len(LAYERS)
    assert set(ours) == set(expected)
