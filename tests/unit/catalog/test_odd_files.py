"""Files that are odd in ways a reader may not think of: each is set aside, by its name, and all others are served."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.catalog import Catalog, embedded_model_folder
from darkroom.catalog.control_fit import layers_of
from darkroom.catalog.controlnets import Place
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.original_configs import Incomplete, text_config, vae_config
from darkroom.catalog.original_names import Source, networks_in, vae_in
from darkroom.catalog.registry import read_catalog
from tests.unit.catalog.conftest import Checkpoint, safetensors, tensor

NUMBER = "1" * 5_000
RESBLOCK = "conditioner.embedders.1.model.transformer.resblocks.0."
VAE = {
    "encoder.down.0.block.0.conv1.weight": tensor([1, 1, 1, 1], 0),
    "encoder.conv_in.weight": tensor([1, 3, 1, 1], 4),
    "decoder.conv_in.weight": tensor([1, 4, 1, 1], 16),
    "decoder.conv_out.weight": tensor([3, 1, 1, 1], 32),
}


def read(**places: Any) -> Catalog:
    return read_catalog({"tiny": embedded_model_folder()}, default="tiny", digests=DigestCache(), **places)


def vae_file(folder: Path, fields: dict[str, object]) -> Path:
    (folder / "soft.safetensors").write_bytes(safetensors(VAE, bytes(44)))
    (folder / "soft.darkroom.json").write_text(json.dumps({"vae": fields}))
    return folder / "soft.safetensors"


def test_a_vae_in_one_file_is_read(tmp_path: Path) -> None:
    (spec,) = read(vaes={"soft": vae_file(tmp_path, {})}).vaes.specs()
    assert (spec.channels, spec.pixels, spec.scaling) == (4, 1, 0.0)


@pytest.mark.parametrize(
    "fields",
    [{"block_out_channels": 5}, {"block_out_channels": [1] * 20_000}, {"latent_channels": "x"}],
)
def test_a_vae_whose_sidecar_makes_no_sense_is_named(tmp_path: Path, fields: dict[str, object]) -> None:
    (entry,) = read(vaes={"soft": vae_file(tmp_path, fields)}).vaes.unavailable()
    (field,) = fields
    assert entry.error.detail.startswith(f"soft.safetensors: vae.{field}")


def test_numbers_in_names_have_few_digits() -> None:
    assert vae_in({f"decoder.up.{NUMBER}.block.0.conv1.weight": (1,)}) == {
        f"decoder.up.{NUMBER}.block.0.conv1.weight": Source(f"decoder.up.{NUMBER}.block.0.conv1.weight", "none", (1,))
    }


def test_a_tensor_of_no_sides_has_no_thirds() -> None:
    parts = networks_in({f"{RESBLOCK}attn.in_proj_weight": ()})["text_encoder_2"]
    assert {source.shape for source in parts.values()} == {()}


def test_a_text_encoder_whose_words_are_pictures_is_incomplete() -> None:
    name = "embeddings.token_embedding.weight"
    with pytest.raises(Incomplete, match="no shape that a layer has"):
        text_config("text_encoder", {name: Source(name, "none", (1, 2, 3, 4))})


def test_a_network_of_thousands_of_levels_is_told_before_they_are_looked_at() -> None:
    names = [f"encoder.down_blocks.{level}.resnets.0.conv1.weight" for level in range(5_000)]
    with pytest.raises(Incomplete, match="5000 levels"):
        vae_config({name: Source(name, "none", (1, 1)) for name in names}, 1.0)


def test_only_layers_of_a_controlnet_are_compared() -> None:
    shapes = {"conv_in.weight": (4,), "controlnet_mid_block.weight": (), "conv_out.weight": (4, 4)}
    assert layers_of(shapes) == {"conv_out": (4, 4)}


def test_a_controlnet_of_too_many_halvings_is_named(checkpoint: Checkpoint) -> None:
    fields = {"_class_name": "ControlNetModel", "conditioning_embedding_out_channels": [1] * 20_000}
    checkpoint.write_json("unet/config.json", fields)
    nets = read(controlnets={"edges": Place("canny", checkpoint.folder / "unet")}).controlnets
    assert "conditioning_embedding_out_channels" in nets.unavailable()[0].error.detail


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_no_network_of_joints(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.onnx")
    (entry,) = read(preprocessors={"openpose": tmp_path}).preprocessors.unavailable()
    assert entry.error.detail == "a.onnx: not a regular file"


@pytest.mark.parametrize("words", [f"/{'a' * 300}.safetensors", "~nobody-of-this-name/x", "/x\0y.safetensors"])
def test_a_path_that_cannot_be_looked_up_takes_nobody_down(words: str) -> None:
    place = Path(words)
    catalog = read_catalog(
        {"tiny": embedded_model_folder(), "odd": place}, default="tiny", digests=DigestCache(), vaes={"soft": place}
    )
    assert ([spec.name for spec in catalog.specs()], len(catalog.broken())) == (["tiny"], 2)


def test_whatever_a_reader_raises_is_of_one_file_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def odd(*_: object) -> None:
        raise ZeroDivisionError(f"in {tmp_path}")

    for reader in (
        "registry.read_checkpoint",
        "vaes.read_vae",
        "loras.read_lora",
        "embeddings.read_embedding",
        "controlnets.read_controlnet",
        "preprocessors._read",
    ):
        monkeypatch.setattr(f"darkroom.catalog.{reader}", odd)
    place = tmp_path / "odd"
    catalog = read(
        vaes={"v": place},
        loras={"l": place},
        embeddings={"e": place},
        controlnets={"c": Place("canny", place)},
        preprocessors={"depth": place},
    )
    reasons = [words.partition(": ")[2] for words in catalog.broken()]
    assert reasons == ["model: cannot be understood (ZeroDivisionError)"] + 5 * [
        "odd: cannot be understood (ZeroDivisionError)"
    ]
