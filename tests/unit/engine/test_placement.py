"""Device, precision and memory, by the settings."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from darkroom.catalog import open_catalog
from darkroom.errors import BrokenWeights, ConfigurationError, MissingWeights, ModelError
from darkroom.settings import Settings
from tests.unit.engine.checkpoints import copy_checkpoint
from worker.models.open import open_models
from worker.models.placement import placement


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def test_a_cpu_computes_in_float32_unless_told_otherwise() -> None:
    assert placement(Settings(device="cpu")).dtype is torch.float32
    assert placement(Settings(device="cpu", dtype="bfloat16")).dtype is torch.bfloat16


def test_auto_finds_a_device() -> None:
    assert placement(Settings()).device.type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("device", ["cuda:99", "abacus", "meta"])
def test_a_device_that_is_not_here_stops_the_start(device: str) -> None:
    with pytest.raises(ConfigurationError):
        placement(Settings(device=device))


@pytest.mark.parametrize(("damage", "error"), [(Path.unlink, MissingWeights), (_truncate, BrokenWeights)])
def test_a_file_damaged_since_the_catalog_was_read_is_named_before_loading(
    epsilon_folder: Path, tmp_path: Path, damage: Callable[[Path], None], error: type[ModelError]
) -> None:
    folder = copy_checkpoint(epsilon_folder, tmp_path / "copy")
    settings = Settings(home=tmp_path, device="cpu", models={"copy": folder})
    models = open_models(settings, open_catalog(settings))
    damage(folder / "unet" / "diffusion_pytorch_model.safetensors")

    with pytest.raises(error):
        models.fits("copy")


def test_models_of_the_catalog_open_by_name(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, device="cpu")
    models = open_models(settings, open_catalog(settings))

    assert models.fits("tiny") == "now"
    with models.lease("tiny") as lease:
        assert lease.checkpoint.spec.name == "tiny"
        assert models.resident() == ("tiny",)
