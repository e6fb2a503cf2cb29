"""Which ControlNets fit which checkpoints, told from headers and proved by loading them."""

import json
from pathlib import Path
from typing import Any

import pytest

from darkroom.catalog.controlnets import Place, read_controlnet, read_controlnets
from darkroom.catalog.weights import fresh_sha256
from darkroom.contract.controlnet import ControlnetSpec
from darkroom.errors import BrokenWeights
from tests.unit.engine.checkpoints import CPU
from tests.unit.engine.controls import write_controlnet
from worker.models.checkpoint import Checkpoint
from worker.models.controlnet import load_controlnet


@pytest.fixture(scope="module")
def folder(epsilon: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_controlnet(tmp_path_factory.mktemp("nets") / "lines", epsilon.unet, 1)


def read(folder: Path, **models: Checkpoint) -> ControlnetSpec:
    specs = [checkpoint.spec.model_copy(update={"name": name}) for name, checkpoint in models.items()]
    return read_controlnet("lines", Place("canny", folder), specs, fresh_sha256)


def configured(folder: Path, target: Path, **fields: Any) -> Path:
    """A copy with other words in its configuration."""
    target.mkdir()
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_bytes())
    (target / "config.json").write_text(json.dumps({**config, **fields}))
    return target


@pytest.mark.slow
def test_one_fits_the_networks_it_was_made_for(
    folder: Path, epsilon: Checkpoint, inpainting: Checkpoint, xl: Checkpoint, embedded: Checkpoint
) -> None:
    spec = read(folder, same=epsilon, nine=inpainting, xl=xl, tiny=embedded)
    assert spec.models == ("nine", "same")
    assert "it adds to 5 layers" in spec.misfits["tiny"]
    assert set(spec.misfits) == {"xl", "tiny"}


def test_one_of_stable_diffusion_xl_fits_that_alone(xl: Checkpoint, epsilon: Checkpoint, tmp_path: Path) -> None:
    spec = read(write_controlnet(tmp_path / "xl", xl.unet, 1), same=epsilon, xl=xl)
    assert spec.models == ("xl",)


def test_other_maps_than_the_models_grid_do_not_fit(folder: Path, epsilon: Checkpoint, tmp_path: Path) -> None:
    other = configured(folder, tmp_path / "other", conditioning_embedding_out_channels=[4, 4, 8])
    assert "4 pixels a latent" in read(other, same=epsilon).misfits["same"]


@pytest.mark.parametrize(
    "fields",
    [
        {"_class_name": "ControlNetUnionModel"},
        {"global_pool_conditions": True},
        {"controlnet_conditioning_channel_order": "bgr"},
        {"class_embed_type": "timestep"},
    ],
)
def test_what_would_be_run_wrongly_is_refused(folder: Path, tmp_path: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(BrokenWeights, match=r"config\.json"):
        read(configured(folder, tmp_path / "other", **fields))


def test_a_broken_one_does_not_take_the_others_down(folder: Path, tmp_path: Path) -> None:
    places = {"lines": Place("canny", folder), "gone": Place("depth", tmp_path / "gone")}
    nets = read_controlnets(places, (), fresh_sha256)
    assert [spec.name for spec in nets.specs()] == ["lines"]
    assert [(entry.name, entry.error.code) for entry in nets.unavailable()] == [("gone", "missing_weights")]


def test_weights_that_changed_since_are_not_loaded(folder: Path, tmp_path: Path, epsilon: Checkpoint) -> None:
    copy = configured(folder, tmp_path / "copy")
    spec = read(copy, same=epsilon)
    write_controlnet(copy, epsilon.unet, 2)
    with pytest.raises(BrokenWeights, match="not the file"):
        load_controlnet(spec, CPU, epsilon.dtype)
