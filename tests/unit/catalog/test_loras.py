"""LoRAs by name, told from the headers of their files."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from darkroom.catalog import Loras, open_catalog
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.lora_fit import base_shapes
from darkroom.catalog.loras import read_lora
from darkroom.catalog.registry import read_catalog
from darkroom.contract.lora import LoraSpec
from darkroom.errors import BrokenWeights, ConfigurationError, MissingWeights, UnknownLora
from darkroom.settings import Settings
from tests.unit.catalog.conftest import SAFETENSORS, Checkpoint, safetensors

Shapes = Mapping[str, list[int]]

LINEAR = "unet.down_blocks.0.attentions.0.attn1.to_q"
CONVOLUTION = "unet.down_blocks.0.resnets.0.conv1"
WORDS = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj"
KOHYA = {
    "lora_unet_down_blocks_0_attentions_0_attn1_to_q": ([4, 8], [6, 4]),
    "lora_unet_down_blocks_0_resnets_0_conv1": ([2, 3, 3, 3], [5, 2, 1, 1]),
    "lora_te_text_model_encoder_layers_0_self_attn_q_proj": ([4, 7], [7, 4]),
}
BASE = {
    ("unet", "down_blocks_0_attentions_0_attn1_to_q"): (6, 8),
    ("unet", "down_blocks_0_resnets_0_conv1"): (5, 3, 3, 3),
    ("text_encoder", "encoder_layers_0_self_attn_q_proj"): (7, 7),
}


def file_of(shapes: Shapes, metadata: Mapping[str, str] | None = None) -> bytes:
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    position = 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [position, position + size]}
        position += size
    return safetensors(header, b"\0" * position)


def kohya(layers: Mapping[str, tuple[list[int], list[int]]] = KOHYA) -> dict[str, list[int]]:
    shapes: dict[str, list[int]] = {}
    for name, (down, up) in layers.items():
        shapes |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": []}
    return shapes


def peft() -> dict[str, list[int]]:
    shapes: dict[str, list[int]] = {}
    for name, (down, up) in zip((LINEAR, CONVOLUTION, WORDS), KOHYA.values(), strict=True):
        shapes |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    return shapes


OLD = {
    "unet.down_blocks.0.attentions.0.attn1.processor.to_q_lora.down.weight": [4, 8],
    "unet.down_blocks.0.attentions.0.attn1.processor.to_q_lora.up.weight": [6, 4],
    "unet.down_blocks.0.resnets.0.conv1.lora.down.weight": [2, 3, 3, 3],
    "unet.down_blocks.0.resnets.0.conv1.lora.up.weight": [5, 2, 1, 1],
    "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.down.weight": [4, 7],
    "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.up.weight": [7, 4],
}


def described(tmp_path: Path, data: bytes, name: str = "style.safetensors") -> LoraSpec:
    (tmp_path / name).write_bytes(data)
    return read_lora("style", tmp_path / name, {"base": BASE}, lambda path: "ab" * 32)


def refusal(tmp_path: Path, data: bytes, name: str = "style.safetensors") -> str:
    with pytest.raises(BrokenWeights) as raised:
        described(tmp_path, data, name)
    assert raised.value.path == name
    return raised.value.detail


@pytest.mark.parametrize(("shapes", "form"), [(kohya(), "kohya"), (peft(), "diffusers"), (OLD, "diffusers")])
def test_every_way_of_naming_comes_to_the_same_layers(tmp_path: Path, shapes: Shapes, form: str) -> None:
    spec = described(tmp_path, file_of(shapes))

    assert (spec.format, spec.rank, spec.layers) == (form, 4, 3)
    assert spec.networks == ("text_encoder", "unet")
    assert spec.models == ("base",)
    assert spec.misfits == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lora_unet_mid_block_conv1": ([2, 3, 3, 3], [5, 2, 1, 1])}, "mid_block_conv1 of the unet, which the model"),
        ({"lora_unet_down_blocks_0_attentions_0_attn1_to_q": ([4, 9], [6, 4])}, "has shape 6x8, the LoRA is for 6x9"),
        ({"lora_unet_down_blocks_0_attentions_0_attn1_to_q": ([4, 8], [7, 4])}, "has shape 6x8, the LoRA is for 7x8"),
        ({"lora_unet_down_blocks_0_resnets_0_conv1": ([2, 3, 1, 1], [5, 2, 1, 1])}, "5x3x3x3, the LoRA is for 5x3x1x1"),
        ({"lora_te2_text_model_encoder_layers_0_mlp_fc1": ([2, 3], [5, 2])}, "of the text_encoder_2"),
    ],
)
def test_a_lora_of_another_base_fits_no_model_and_says_why(
    tmp_path: Path, change: dict[str, tuple[list[int], list[int]]], words: str
) -> None:
    spec = described(tmp_path, file_of(kohya({**KOHYA, **change})))

    assert spec.models == ()
    assert words in spec.misfits["base"]


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({}, "no layers"),
        ({"weight": [2, 3]}, "no LoRA format"),
        ({**kohya(), "unet.x.lora_A.weight": [2, 3], "unet.x.lora_B.weight": [3, 2]}, "two formats"),
        ({"lora_unet_x.lora_down.weight": [2, 3]}, "lacks its up half"),
        ({"lora_unet_x.alpha": []}, "lacks its down half"),
        ({"lora_unet_x.lora_down.weight": [2, 3], "lora_unet_x.lora_up.weight": [3, 3]}, "do not go together"),
        ({"lora_unet_x.lora_down.weight": [2], "lora_unet_x.lora_up.weight": [2]}, "do not go together"),
        ({"lora_unet_x.lora_down.weight": [4096, 1], "lora_unet_x.lora_up.weight": [1, 4096]}, "rank 4096"),
        ({"lora_unet_x.lora_down.weight": [0, 1], "lora_unet_x.lora_up.weight": [1, 0]}, "rank 0"),
        ({**kohya(), "lora_unet_x.alpha": []}, "half"),
        ({"lora_unet_x.hada_w1_a": [2, 3]}, "LoHa"),
        ({"lora_unet_x.lokr_w1": [2, 3]}, "LoKr"),
        ({**kohya(), "lora_unet_x.dora_scale": [1, 3]}, "DoRA"),
        ({"unet.x.lora_magnitude_vector": [3]}, "DoRA"),
        ({"lora_unet_" + "x" * 300 + ".alpha": []}, "characters"),
        (
            {
                "unet.x.lora_A.weight": [2, 3],
                "unet.x.lora_B.weight": [3, 2],
                "unet.x.lora.down.weight": [2, 3],
            },
            "twice",
        ),
    ],
)
def test_what_we_could_not_apply_is_refused_in_plain_words(tmp_path: Path, shapes: Shapes, words: str) -> None:
    told = refusal(tmp_path, file_of(shapes))

    assert words in told
    assert len(told) < 300


def test_alphas_of_several_numbers_are_refused(tmp_path: Path) -> None:
    shapes = kohya()
    shapes["lora_unet_down_blocks_0_resnets_0_conv1.alpha"] = [2]
    assert "not one number" in refusal(tmp_path, file_of(shapes))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"unet.use_dora": true}', "DoRA"),
        ('{"unet.lora_alpha": "much"}', "not a number"),
        ('{"unet.lora_alpha": NaN}', "not a number"),
        ('{"unet.alpha_pattern": [1]}', "not a JSON object"),
    ],
)
def test_metadata_that_makes_no_sense_is_refused(tmp_path: Path, settings: str, words: str) -> None:
    assert words in refusal(tmp_path, file_of(peft(), {"lora_adapter_metadata": settings}))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a pickle", file_of(kohya())[:-1]])
def test_a_file_that_is_not_sound_is_refused(tmp_path: Path, data: bytes) -> None:
    refusal(tmp_path, data)


@pytest.mark.parametrize("name", ["style.ckpt", "style.pt", "style.bin", "style"])
def test_only_safetensors_are_read(tmp_path: Path, name: str) -> None:
    assert "not a .safetensors" in refusal(tmp_path, file_of(kohya()), name)


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"^gone.safetensors: no such file$"):
        read_lora("gone", tmp_path / "gone.safetensors", {}, lambda path: "")


def test_a_broken_lora_does_not_take_the_others_down(checkpoint: Checkpoint, tmp_path: Path) -> None:
    good, broken = tmp_path / "good.safetensors", tmp_path / "broken.safetensors"
    good.write_bytes(file_of(kohya()))
    broken.write_bytes(b"")
    loras = {"good": good, "broken": broken, "gone": tmp_path / "gone.safetensors"}
    catalog = read_catalog({"portrait": checkpoint.folder}, default="portrait", digests=DigestCache(), loras=loras)

    assert [spec.name for spec in catalog.loras.specs()] == ["good"]
    assert [(entry.name, entry.error.code) for entry in catalog.loras.unavailable()] == [
        ("broken", "broken_weights"),
        ("gone", "missing_weights"),
    ]
    with pytest.raises(BrokenWeights, match=r"broken\.safetensors"):
        catalog.loras.spec("broken", "loras.0.model")


def test_an_unknown_name_is_told_the_known_ones(tmp_path: Path) -> None:
    known = Loras([described(tmp_path, file_of(kohya()))])
    with pytest.raises(UnknownLora, match="known: style") as raised:
        known.spec("nope", "loras.3.model")
    assert raised.value.field == "loras.3.model"


def test_a_checkpoint_tells_the_shapes_of_its_layers(checkpoint: Checkpoint) -> None:
    tensors = {
        "down_blocks.0.attn1.to_q.weight": [6, 8],
        "down_blocks.0.attn1.to_q.bias": [6],
        "conv_in.weight": [5, 3, 3, 3],
        "norm.weight": [5],
    }
    words = {"text_model.encoder.fc1.weight": [4, 2], "text_model.embeddings.token_embedding.weight": [9, 2]}
    checkpoint.write(SAFETENSORS["unet"], file_of(tensors))
    checkpoint.write(SAFETENSORS["text_encoder"], file_of(words))
    catalog = read_catalog({"portrait": checkpoint.folder}, default="portrait", digests=DigestCache())

    assert base_shapes(catalog.spec("portrait")) == {
        ("unet", "down_blocks_0_attn1_to_q"): (6, 8),
        ("unet", "conv_in"): (5, 3, 3, 3),
        ("text_encoder", "encoder_fc1"): (4, 2),
    }


@pytest.mark.parametrize("name", ["Style", "../x", "a b"])
def test_a_name_nobody_could_ask_for_stops_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="loras"):
        open_catalog(Settings(home=tmp_path, loras={name: tmp_path / "x.safetensors"}))


@pytest.mark.slow
def test_reading_loras_brings_no_torch(tmp_path: Path) -> None:
    (tmp_path / "style.safetensors").write_bytes(file_of(kohya()))
    code = f"""
import sys, json
from darkroom.catalog import open_catalog
from darkroom.settings import Settings
catalog = open_catalog(Settings(home={str(tmp_path)!r}, loras=json.loads({
        json.dumps(json.dumps({"style": str(tmp_path / "style.safetensors")}))
    })))
assert "tiny" in catalog.loras.spec("style", "x").misfits
assert not {{"torch", "safetensors", "numpy"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
