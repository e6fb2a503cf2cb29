"""A classifier's folder is whole, safetensors and without code, or the worker does not start and says what is wrong."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from darkroom.errors import ConfigurationError
from darkroom.settings import Settings
from tests.unit.worker.safety.folders import concept_folder, label_folder
from worker.safety.building import picture_checkers


def checkers(folder: Path, **place: object) -> object:
    given = {"mine": {"path": folder, **place}}
    return picture_checkers(Settings(safety_open_nsfw="off", safety_classifiers=given))


@pytest.mark.parametrize("make", [concept_folder, label_folder])
def test_the_version_is_the_hash_of_the_weights(make: Callable[[Path], Path], tmp_path: Path) -> None:
    (checker,) = checkers(make(tmp_path))
    assert checker.name == "mine"
    assert checker.version == sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()


def changed_config(**fields: object) -> Callable[[Path], None]:
    return changed("config.json", fields)


def changed_processor(**fields: object) -> Callable[[Path], None]:
    return changed("preprocessor_config.json", fields)


def changed(name: str, fields: dict[str, object]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**config, **fields}))

    return change


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors: no such file"),
    "weights in .bin alone": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "weights in .bin are never read",
    ),
    "weights that are none": (lambda folder: (folder / "model.safetensors").write_bytes(b"PK\x03\x04" * 9), "header"),
    "no configuration": (lambda folder: (folder / "config.json").unlink(), "config.json: no such file"),
    "no processor": (lambda folder: (folder / "preprocessor_config.json").unlink(), "preprocessor_config.json"),
    "code": (changed_config(auto_map={"AutoModelForImageClassification": "code.Model"}), "auto_map"),
    "an adapter": (lambda folder: (folder / "adapter_config.json").write_text("{}"), "adapter_config.json"),
    "another network": (changed_config(hidden_size=32), "model.safetensors"),
    "pictures of another size": (
        changed_processor(size={"height": 64, "width": 64}),
        "has no score for a grey picture",
    ),
    "a division by nothing": (changed_processor(image_std=[0, 0, 0]), "has no score for a grey picture"),
    "timm": (lambda folder: (folder / "config.json").write_text('{"architecture": "vit_tiny"}'), "timm are not read"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_folder_stops_the_start(wrong: str, tmp_path: Path) -> None:
    folder = label_folder(tmp_path / "folder")
    spoil, words = WRONG[wrong]
    spoil(folder)
    with pytest.raises(ConfigurationError) as refused:
        checkers(folder)
    assert refused.value.detail.startswith("DARKROOM_SAFETY_CLASSIFIERS: mine: ")
    assert words in refused.value.detail
    assert str(tmp_path) not in refused.value.detail


@pytest.mark.parametrize("wrong", ["code", "an adapter"])
def test_a_safety_checker_brings_no_code_either(wrong: str, tmp_path: Path) -> None:
    folder = concept_folder(tmp_path / "folder")
    spoil, words = WRONG[wrong]
    spoil(folder)
    with pytest.raises(ConfigurationError, match=words):
        checkers(folder)


def test_a_safety_checker_has_no_labels(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no labels"):
        checkers(concept_folder(tmp_path), labels={"nsfw": "sexual"})


def test_a_device_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    given = {"mine": {"path": label_folder(tmp_path)}}
    with pytest.raises(ConfigurationError, match="not in this machine"):
        picture_checkers(Settings(safety_open_nsfw="off", safety_classifiers=given, safety_device="cuda:63"))
