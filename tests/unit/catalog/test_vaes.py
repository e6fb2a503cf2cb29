"""VAEs that can be asked for: what their folders say, and which models they fit."""

from pathlib import Path
from typing import Any

import pytest

from darkroom.catalog.digests import DigestCache
from darkroom.catalog.registry import read_catalog
from darkroom.catalog.vaes import Vaes, read_vaes
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights, UnknownVae
from tests.unit.catalog.conftest import Checkpoint, safetensors, tensor
from tests.unit.planner.test_plan import SPEC

XL = SPEC.model_copy(update={"name": "xl", "latent_scaling": 0.13025})
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def vae(checkpoint: Checkpoint) -> Checkpoint:
    """Only the folder `vae` of it is looked at."""
    return checkpoint


def read(vae: Checkpoint, *models: ModelSpec) -> Vaes:
    return read_vaes({"soft": vae.folder / "vae"}, models or (SPEC, XL), DigestCache().sha256)


def refusal(vae: Checkpoint) -> Any:
    (entry,) = read(vae).unavailable()
    return entry.error


def test_a_vae_is_described_by_its_configuration(vae: Checkpoint) -> None:
    (spec,) = read(vae).specs()
    assert (spec.name, spec.channels, spec.pixels, spec.scaling) == ("soft", 4, 8, 0.18215)
    assert (spec.weights, spec.bytes) == (WEIGHTS, (vae.folder / "vae" / WEIGHTS).stat().st_size)
    assert len(spec.sha256) == 64


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"latent_channels": 16}, "16 channels"),
        ({"block_out_channels": [128, 256]}, "2 pixels"),
        ({"scaling_factor": 0.5}, "0.5"),
    ],
)
def test_a_vae_of_other_latents_fits_no_model(vae: Checkpoint, fields: dict[str, Any], reason: str) -> None:
    vae.change("vae/config.json", **fields)
    (spec,) = read(vae).specs()
    assert spec.models == ()
    assert reason in spec.misfits["portrait"]


def test_latents_that_were_scaled_for_another_network_do_not_fit(vae: Checkpoint) -> None:
    (spec,) = read(vae).specs()
    assert (spec.models, set(spec.misfits)) == (("portrait",), {"xl"})
    vae.change("vae/config.json", scaling_factor=0.13025)
    (spec,) = read(vae).specs()
    assert (spec.models, set(spec.misfits)) == (("xl",), {"portrait"})


@pytest.mark.parametrize(
    "fields",
    [{"shift_factor": 0.1}, {"latents_mean": [0.0]}, {"scaling_factor": 0}, {"_class_name": "AutoencoderTiny"}],
)
def test_a_vae_that_we_could_not_use_is_broken(vae: Checkpoint, fields: dict[str, Any]) -> None:
    vae.change("vae/config.json", **fields)
    error = refusal(vae)
    assert isinstance(error, BrokenWeights)
    assert error.path == "vae/config.json"


@pytest.mark.parametrize("name", ["vae/config.json", f"vae/{WEIGHTS}"])
def test_a_missing_file_is_named(vae: Checkpoint, name: str) -> None:
    vae.remove(name)
    error = refusal(vae)
    assert isinstance(error, MissingWeights)
    assert error.path == name


def test_broken_weights_are_named(vae: Checkpoint) -> None:
    vae.write(f"vae/{WEIGHTS}", b"PK\x03\x04 a pickle")
    assert refusal(vae).path == f"vae/{WEIGHTS}"


def test_shards_are_refused(vae: Checkpoint) -> None:
    vae.remove(f"vae/{WEIGHTS}")
    for shard in ("a.safetensors", "b.safetensors"):
        vae.write(f"vae/{shard}", safetensors({"weight": tensor([1], 0)}, b"\0" * 4))
    vae.write_json(f"vae/{WEIGHTS}.index.json", {"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}})
    assert "several files" in refusal(vae).detail


def test_a_name_nobody_configured_is_unknown(vae: Checkpoint) -> None:
    with pytest.raises(UnknownVae, match="known: soft"):
        read(vae).spec("hard", "vae")


def test_a_broken_vae_is_named_and_takes_no_model_down(vae: Checkpoint, tmp_path: Path) -> None:
    catalog = read_catalog(
        {"portrait": vae.folder}, default="portrait", digests=DigestCache(), vaes={"soft": tmp_path / "nowhere"}
    )
    assert [spec.name for spec in catalog.specs()] == ["portrait"]
    assert catalog.broken() == ("the VAE soft is broken: nowhere: no such folder",)
    with pytest.raises(MissingWeights):
        catalog.vaes.spec("soft", "vae")
