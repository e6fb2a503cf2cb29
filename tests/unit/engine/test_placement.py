"""Device, precision and memory, by the settings."""

import pytest
import torch

from darkroom.catalog import open_catalog
from darkroom.errors import ConfigurationError
from darkroom.settings import Settings
from worker.models.open import open_models
from worker.models.placement import placement


def test_a_cpu_computes_in_float32_unless_told_otherwise() -> None:
    assert placement(Settings(device="cpu")).dtype is torch.float32
    assert placement(Settings(device="cpu", dtype="bfloat16")).dtype is torch.bfloat16


def test_auto_finds_a_device() -> None:
    assert placement(Settings()).device.type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("device", ["cuda:99", "abacus", "meta"])
def test_a_device_that_is_not_here_stops_the_start(device: str) -> None:
    with pytest.raises(ConfigurationError):
        placement(Settings(device=device))


def test_models_of_the_catalog_open_by_name(tmp_path: object) -> None:
    settings = Settings(home=tmp_path, device="cpu")
    models = open_models(settings, open_catalog(settings))

    assert models.fits("tiny") == "now"
    with models.lease("tiny") as lease:
        assert lease.checkpoint.spec.name == "tiny"
        assert models.resident() == ("tiny",)
