"""Models by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.catalog import SCHEDULER_TITLES, SCHEDULERS, embedded_model_folder, open_catalog
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.registry import read_catalog
from darkroom.errors import BrokenWeights, ConfigurationError, MissingWeights, UnknownModel
from darkroom.settings import Settings
from tests.unit.catalog.conftest import SAFETENSORS, Checkpoint


def test_the_embedded_model_is_always_there(tmp_path: Path) -> None:
    catalog = open_catalog(Settings(home=tmp_path))
    assert [spec.name for spec in catalog.specs()] == ["tiny"]
    assert catalog.default == "tiny"
    assert catalog.spec("tiny").family == "tiny"
    assert catalog.spec("tiny").path == str(embedded_model_folder())


def test_configured_models_stand_beside_it(checkpoint: Checkpoint, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, models={"portrait": checkpoint.folder}, default_model="portrait")
    catalog = open_catalog(settings)
    assert [spec.name for spec in catalog.specs()] == ["portrait", "tiny"]
    assert catalog.default == "portrait"


def test_an_unknown_name_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="tiny") as raised:
        open_catalog(Settings(home=tmp_path)).spec("nope")
    assert raised.value.field == "model"


def test_a_broken_model_does_not_take_the_others_down(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.write(SAFETENSORS["vae"], b"")
    settings = Settings(home=tmp_path, models={"portrait": checkpoint.folder, "gone": tmp_path / "gone"})
    catalog = open_catalog(settings)
    assert [spec.name for spec in catalog.specs()] == ["tiny"]
    assert [(entry.name, entry.error.code) for entry in catalog.unavailable()] == [
        ("gone", "missing_weights"),
        ("portrait", "broken_weights"),
    ]
    for _ in range(2):
        with pytest.raises(BrokenWeights, match=SAFETENSORS["vae"]):
            catalog.spec("portrait")
    with pytest.raises(MissingWeights):
        catalog.spec("gone")


def test_errors_of_a_broken_model_do_not_tell_where_it_lies(checkpoint: Checkpoint) -> None:
    checkpoint.remove(SAFETENSORS["vae"])
    catalog = read_catalog({"portrait": checkpoint.folder}, default="portrait", digests=DigestCache())
    assert str(checkpoint.folder.parent) not in catalog.unavailable()[0].error.detail


def test_a_default_that_is_no_model_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="default_model"):
        open_catalog(Settings(home=tmp_path, default_model="nope"))


@pytest.mark.parametrize("name", ["Portrait", "", "../x", "a b", "x" * 65, "-x"])
def test_a_name_nobody_could_ask_for_stops_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no name"):
        open_catalog(Settings(home=tmp_path, models={name: tmp_path}))


def test_every_scheduler_has_a_title() -> None:
    assert len(set(SCHEDULERS)) == len(SCHEDULERS) == len(set(SCHEDULER_TITLES.values()))
    assert {"ddim", "euler", "euler_a", "dpmpp_2m", "unipc"} <= set(SCHEDULERS)


@pytest.mark.slow
def test_reading_the_catalog_imports_neither_the_worker_nor_torch(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from darkroom.catalog import open_catalog
from darkroom.settings import Settings
assert open_catalog(Settings(home=Path({str(tmp_path)!r}))).specs()
brought = {{"worker", "torch", "safetensors", "transformers", "diffusers", "numpy"}} & set(sys.modules)
assert not brought, brought
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
