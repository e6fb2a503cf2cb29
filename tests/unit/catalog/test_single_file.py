"""What is no checkpoint in one file, and where its tokenizer comes from; all from names, headers and sidecars."""

import importlib.machinery
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.catalog import tokenizers
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.original_names import networks_in
from darkroom.catalog.registry import read_catalog
from darkroom.catalog.safetensors_header import read_floats
from darkroom.catalog.sgm_names import diffusers_name
from darkroom.catalog.sidecar import Sidecar, read_sidecar
from darkroom.catalog.single_file import read_original
from darkroom.catalog.tokenizers import Tokenizers
from darkroom.errors import BrokenWeights, ModelError
from tests.unit.catalog.conftest import Checkpoint, safetensors, tensor
from tests.unit.planner.test_plan import SPEC


def file_of(place: Path, *names: str, data: bytes = b"") -> Path:
    """Tensors of two numbers each."""
    header = {name: tensor([2], 8 * index) for index, name in enumerate(names)}
    place.write_bytes(safetensors(header, b"\0" * 8 * len(names)))
    return place


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".pth", ".bin"])
def test_a_pickle_is_refused_by_its_name_and_never_opened(tmp_path: Path, suffix: str) -> None:
    place = tmp_path / f"model{suffix}"
    catalog = read_catalog({"old": place}, default="old", digests=DigestCache(), vaes={"soft": place})

    for (entry,) in (catalog.unavailable(), catalog.vaes.unavailable()):
        assert entry.error.path == f"model{suffix}"
        assert "is a pickle" in entry.error.detail


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "no U-Net"),
        (("lora_unet_mid.lora_up.weight",), "no U-Net"),
        (("model.diffusion_model.out.2.weight",), "no VAE"),
        (("model_ema.diffusion_modelout2weight", "first_stage_model.quant_conv.weight"), "no U-Net"),
        (("model.diffusion_model.out.2.weight", "first_stage_model.quant_conv.weight"), "no text encoder"),
    ],
)
def test_a_file_that_is_no_checkpoint_says_what_it_lacks(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(BrokenWeights, match=words) as raised:
        read_original(file_of(tmp_path / "model.safetensors", *names))
    assert raised.value.path == "model.safetensors"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\xff" * 64, safetensors({"a": tensor([1 << 62], 0)}, b"")])
def test_a_header_is_checked_before_anything_is_made_of_it(tmp_path: Path, data: bytes) -> None:
    place = tmp_path / "model.safetensors"
    place.write_bytes(data)
    catalog = read_catalog({"torn": place}, default="torn", digests=DigestCache())
    (entry,) = catalog.unavailable()
    assert (entry.error.code, entry.error.path) == ("broken_weights", "model.safetensors")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    catalog = read_catalog({"gone": tmp_path / "gone.safetensors"}, default="gone", digests=DigestCache())
    (entry,) = catalog.unavailable()
    assert entry.error.code == "missing_weights"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("input_blocks.1.0.in_layers.0", "down_blocks.0.resnets.0.norm1"),
        ("input_blocks.3.0.op", "down_blocks.0.downsamplers.0.conv"),
        ("middle_block.1.proj_in", "mid_block.attentions.0.proj_in"),
        ("output_blocks.2.1.conv", "up_blocks.0.upsamplers.0.conv"),
        (
            "output_blocks.5.1.transformer_blocks.0.attn1.to_out.0",
            "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0",
        ),
        ("label_emb.0.2", "add_embedding.linear_2"),
        ("out.0", "conv_norm_out"),
        ("something.else", "something.else"),
    ],
)
def test_names_of_the_u_net_are_the_same_with_dots_and_underscores(name: str, expected: str) -> None:
    assert diffusers_name(name, ".") == expected
    assert diffusers_name(name.replace(".", "_")) == expected.replace(".", "_")


def test_fused_projections_become_three_and_averages_and_schedules_nothing() -> None:
    shapes = {
        "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight": (24, 8),
        "conditioner.embedders.1.model.text_projection": (8, 5),
        "conditioner.embedders.1.model.logit_scale": (),
        "model_ema.diffusion_modelout2weight": (1,),
        "alphas_cumprod": (1000,),
    }
    networks = networks_in(shapes)
    assert set(networks) == {"text_encoder_2"}
    parts = networks["text_encoder_2"]
    assert parts["encoder.layers.0.self_attn.k_proj.weight"][1:] == ("key", (8, 8))
    assert parts["text_projection.weight"][1:] == ("transposed", (5, 8))
    assert len(parts) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('model:\n  params:\n    parameterization: "v"\n', "v_prediction"),
        ("    parameterization: v  # velocity\n", "v_prediction"),
        ("    parameterization: eps\n", "epsilon"),
        ("model: {}\n", None),
        ("# parameterization: v\n", None),
    ],
)
def test_the_prediction_is_read_from_the_yaml_beside(tmp_path: Path, text: str, expected: str | None) -> None:
    (tmp_path / "model.yaml").write_text(text)
    assert read_sidecar(tmp_path / "model.safetensors").prediction_type == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"prediction_type": "sample"},
        {"unets": {}},
        {"unet": []},
        [],
        {"vae": {"scaling_factor": 0}},
        {"vae": {"scaling_factor": "1"}},
    ],
)
def test_a_sidecar_that_is_not_understood_is_named(tmp_path: Path, fields: Any) -> None:
    (tmp_path / "model.darkroom.json").write_text(json.dumps(fields))
    with pytest.raises(ModelError) as raised:
        read_sidecar(tmp_path / "model.safetensors")
    assert raised.value.path == "model.darkroom.json"


@pytest.mark.parametrize(("dtype", "data"), [("F32", "0000c03f"), ("F16", "003e"), ("BF16", "c03f")])
def test_a_few_numbers_are_read_in_each_precision(tmp_path: Path, dtype: str, data: str) -> None:
    raw = bytes.fromhex(data)
    place = tmp_path / "file.safetensors"
    place.write_bytes(safetensors({"a": tensor([1], 0, "U8", 1), "b": tensor([1], 1, dtype, len(raw))}, b"\7" + raw))
    assert read_floats(place, "b") == (1.5,)


def test_the_configured_tokenizer_is_before_that_of_another_checkpoint(checkpoint: Checkpoint, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"path": str(checkpoint.folder)})
    checkpoint.change("text_encoder/config.json", vocab_size=1000)
    assert Tokenizers(None, [spec])(1000) == str(checkpoint.folder / "tokenizer")
    (tmp_path / "tokenizer.json").write_text("{}")
    assert Tokenizers(tmp_path, [spec])(1000) == str(tmp_path)
    assert Tokenizers(None, [spec])(1001) == ""


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the name `open_clip`, with merges in it."""

    def find(name: str) -> importlib.machinery.ModuleSpec | None:
        found = importlib.machinery.ModuleSpec(name, None, is_package=True)
        found.submodule_search_locations = [str(tmp_path)]
        return found if name == "open_clip" else None

    monkeypatch.setattr(tokenizers, "find_spec", find)
    (tmp_path / tokenizers.MERGES).write_bytes(b"")
    return tmp_path / tokenizers.MERGES


def test_merges_of_an_installed_package_are_the_last_resort_for_clip_alone(carried: Path) -> None:
    none: Callable[[int], str] = Tokenizers(None, [])
    assert none(tokenizers.CLIP_TOKENS) == str(carried)
    assert none(1000) == ""


def test_what_other_programs_write_beside_a_file_is_theirs(tmp_path: Path) -> None:
    notes = {"description": "warm", "sd version": "SD1", "notes": "", "prediction_type": "none"}
    (tmp_path / "model.json").write_text(json.dumps(notes))
    assert read_sidecar(tmp_path / "model.safetensors") == Sidecar()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no tokenizer.json"),
        ({"vocab.json": {"a": 0}}, "no tokenizer.json"),
        ({"vocab.json": {"a": 0, "b": 1, "c": 2}, "merges.txt": ""}, "knows 3 tokens, the text encoder 2"),
    ],
)
def test_a_configured_tokenizer_that_will_not_do_is_told_by_the_catalog(
    tmp_path: Path, files: dict[str, Any], words: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(ModelError, match=words) as raised:
        Tokenizers(tmp_path, [])(2)
    assert "DARKROOM_TOKENIZER" in raised.value.detail


def test_a_configured_tokenizer_that_is_not_there_is_told_by_the_catalog(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file or folder, which DARKROOM_TOKENIZER names"):
        Tokenizers(tmp_path / "nowhere", [])(2)
