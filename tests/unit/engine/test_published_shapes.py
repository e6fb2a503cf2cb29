"""Files of the published families, in their own sizes but without their gigabytes: a header, and holes for data."""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from darkroom.catalog.lora_fit import base_shapes, layer_key
from darkroom.catalog.single_file import read_original, read_single_file
from darkroom.contract.model import ModelSpec
from tests.unit.engine import originals
from tests.unit.engine.originals import Kind
from worker.models.open import weight_bytes
from worker.models.single_file import build_network

pytestmark = pytest.mark.slow

XL_WORDS: dict[str, Any] = {"addition_embed_type": "text_time", "addition_time_embed_dim": 256}
UNETS: dict[str, dict[str, Any]] = {
    "sd1": {"cross_attention_dim": 768, "attention_head_dim": 8},
    "sd2": {"cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20), "use_linear_projection": True},
    "sdxl": {
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10),
        "attention_head_dim": (5, 10, 20),
        "cross_attention_dim": 2048,
        "use_linear_projection": True,
        "projection_class_embeddings_input_dim": 2816,
        **XL_WORDS,
    },
    "sdxl_refiner": {
        "block_out_channels": (384, 768, 1536, 1536),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": 4,
        "attention_head_dim": (6, 12, 24, 24),
        "cross_attention_dim": 1280,
        "use_linear_projection": True,
        "projection_class_embeddings_input_dim": 2560,
        **XL_WORDS,
    },
}
CLIP_L = (768, 12)
TEXTS: dict[str, dict[str, tuple[int, int]]] = {
    "sd1": {"text_encoder": CLIP_L},
    "sd2": {"text_encoder": (1024, 23)},
    "sdxl": {"text_encoder": CLIP_L, "text_encoder_2": (1280, 32)},
    "sdxl_refiner": {"text_encoder_2": (1280, 32)},
}
KINDS = {"sd1": originals.SD1, "sd2": originals.SD2, "sdxl": originals.XL, "sdxl_refiner": originals.REFINER}
TELLING = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"


def published(family: str) -> dict[str, Any]:
    with torch.device("meta"):
        unet = diffusers.UNet2DConditionModel(**UNETS[family])
        vae = diffusers.AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        )
        return {"unet": unet, "vae": vae, **{name: _text(name, *size) for name, size in TEXTS[family].items()}}


def _text(component: str, width: int, layers: int) -> Any:
    kind = CLIPTextModelWithProjection if component == "text_encoder_2" else CLIPTextModel
    return kind(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=width // 64,
            projection_dim=width,
        )
    )


def hollow(kind: Kind, networks: Mapping[str, Any], file: Path) -> Path:
    """A sound half-precision file, its data never written."""
    header, end = {}, 0
    for name, tensor in originals.original(kind, dict(networks)).items():
        begin, end = end, end + 2 * prod(tensor.shape)
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with file.open("wb") as opened:
        opened.write(len(text).to_bytes(8, "little") + text)
        opened.truncate(8 + len(text) + end)
    return file


def write_spread(file: Path, spread: float) -> None:
    with file.open("r+b") as opened:
        size = int.from_bytes(opened.read(8), "little")
        begin, end = json.loads(opened.read(size))[TELLING]["data_offsets"]
        opened.seek(8 + size + begin)
        opened.write(np.resize(np.array([-spread, spread], "<f2"), (end - begin) // 2).tobytes())


def spec_of(file: Path) -> ModelSpec:
    return read_single_file("model", file, lambda path: "0" * 64, lambda tokens: f"/clip-{tokens}")


@pytest.mark.parametrize("family", UNETS)
def test_a_published_family_is_known_by_its_shapes(family: str, tmp_path: Path) -> None:
    networks = published(family)
    file = hollow(KINDS[family], networks, tmp_path / "model.safetensors")

    spec = spec_of(file)

    assert (spec.family, spec.prediction_type, spec.tokenizer) == (family, "epsilon", "/clip-49408")
    assert spec.native_width == spec.native_height == (1024 if spec.is_xl else 512)
    assert spec.latent_scaling == (0.13025 if spec.is_xl else 0.18215)
    assert spec.default_scheduler == {"sd1": "pndm", "sd2": "ddim"}.get(family, "euler")
    assert spec.text_widths == tuple(width for width, _ in TEXTS[family].values())
    numbers = sum(tensor.numel() for network in networks.values() for tensor in network.parameters())
    assert weight_bytes(spec, torch.float16) == 2 * numbers


@pytest.mark.parametrize("family", UNETS)
def test_its_networks_are_configured_as_published(family: str, tmp_path: Path) -> None:
    networks = published(family)
    original = read_original(hollow(KINDS[family], networks, tmp_path / "model.safetensors"))

    unet = original.configs["unet"]
    for field, expected in UNETS[family].items():
        found = unet[field]
        if field == "transformer_layers_per_block" and isinstance(expected, int):
            # Blocks that do not attend have no depth.
            found, expected = found[-1], expected
        assert (tuple(found) if isinstance(found, list) else found) == expected, field
    for component, (width, layers) in TEXTS[family].items():
        text = original.configs[component]
        assert (text["hidden_size"], text["num_hidden_layers"], text["num_attention_heads"]) == (
            width,
            layers,
            width // 64,
        )
    for component, network in networks.items():
        names = {name.removeprefix("text_model.") for name, _ in network.named_parameters()}
        assert {name.removeprefix("text_model.") for name in original.networks[component]} == names


def test_stable_diffusion_2_tells_by_one_bias_whether_it_predicts_velocity(tmp_path: Path) -> None:
    file = hollow(originals.SD2, published("sd2"), tmp_path / "model.safetensors")

    write_spread(file, 0.05)
    assert (spec_of(file).prediction_type, spec_of(file).native_width) == ("epsilon", 512)
    write_spread(file, 0.2)
    assert (spec_of(file).prediction_type, spec_of(file).native_width) == ("v_prediction", 768)
    file.with_suffix(".yaml").write_text("model:\n  params:\n    parameterization: eps\n")
    assert spec_of(file).prediction_type == "epsilon"


def test_loras_are_held_against_the_layers_of_a_file(tmp_path: Path) -> None:
    networks = published("sdxl")
    spec = spec_of(hollow(originals.XL, networks, tmp_path / "model.safetensors"))

    shapes = base_shapes(spec)

    for component in ("unet", "text_encoder", "text_encoder_2"):
        for name, module in networks[component].named_modules():
            if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
                assert shapes[layer_key(component, name)] == tuple(module.weight.shape)


def test_a_whole_network_is_built_from_a_file(tmp_path: Path) -> None:
    """Of the VAE, whose holes read as zeros: names and shapes are those of the published network."""
    original = read_original(hollow(originals.SD1, published("sd1"), tmp_path / "model.safetensors"))
    file = tmp_path / "model.safetensors"

    vae = build_network(diffusers.AutoencoderKL, original.configs["vae"], original.networks["vae"], file, torch.float16)

    assert sum(parameter.numel() for parameter in vae.parameters()) == 83_653_863
