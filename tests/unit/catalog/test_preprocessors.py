"""Preprocessors are known from their files, without loading one."""

import json
from pathlib import Path

import pytest

from darkroom.catalog.digests import DigestCache
from darkroom.catalog.preprocessors import FROM_WEIGHTS, Preprocessors, read_preprocessors
from darkroom.catalog.registry import open_catalog
from darkroom.contract.control import CONTROL_TYPES, ControlType
from darkroom.errors import ConfigurationError, PreprocessorUnavailable
from darkroom.settings import Settings
from tests.unit.catalog.conftest import safetensors, tensor

WEIGHTS = safetensors({"w": tensor([2], 0)}, bytes(8))


def read(**paths: Path) -> Preprocessors:
    return read_preprocessors(paths, DigestCache().sha256)  # type: ignore[arg-type]


def transformers_folder(folder: Path) -> Path:
    folder.mkdir()
    for name in ("config.json", "preprocessor_config.json"):
        (folder / name).write_text(json.dumps({"for": name}))
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    return folder


def pose_folder(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(name.encode())
    return folder


def test_without_settings_there_is_what_needs_no_weights() -> None:
    known = read()
    assert [spec.type for spec in known.specs()] == ["canny", "mlsd", "scribble", "softedge"]
    assert set(known.absent()) == {"depth", "openpose", "segmentation"}
    assert all("DARKROOM_PREPROCESSORS" in reason for reason in known.absent().values())
    assert len({spec.digest for spec in known.specs()}) == 4


def test_weights_make_their_type_available_and_take_the_place_of_what_ships(tmp_path: Path) -> None:
    hed = tmp_path / "hed.safetensors"
    hed.write_bytes(WEIGHTS)
    folder = transformers_folder(tmp_path / "depth")
    known = read(
        depth=folder,
        segmentation=folder,
        softedge=hed,
        openpose=pose_folder(tmp_path / "pose", "a.onnx", "yolox_l.onnx"),
    )
    assert known.absent() == {}
    assert [spec.type for spec in known.specs()] == list(CONTROL_TYPES)
    methods = {spec.type: spec.method for spec in known.specs()}
    assert {kind: methods[kind] for kind in FROM_WEIGHTS} == dict(FROM_WEIGHTS)
    assert set(known.spec("openpose", "type").files) == {"a.onnx", "yolox_l.onnx"}
    assert known.spec("softedge", "type").digest != read().spec("softedge", "type").digest


def test_other_weights_have_another_digest(tmp_path: Path) -> None:
    folder = transformers_folder(tmp_path / "depth")
    before = read(depth=folder).spec("depth", "type").digest
    (folder / "preprocessor_config.json").write_text("{}")
    assert read(depth=folder).spec("depth", "type").digest != before


@pytest.mark.parametrize(
    ("kind", "make", "words"),
    [
        ("depth", lambda folder: folder / "nowhere", "no such file or folder"),
        ("depth", lambda folder: pose_folder(folder / "empty"), "config.json"),
        ("softedge", lambda folder: pose_folder(folder / "pickled", "hed.pth"), "no .safetensors file"),
        ("softedge", lambda folder: pose_folder(folder / "unsound", "hed.safetensors"), "prefix|larger"),
        ("softedge", lambda folder: pose_folder(folder / "many", "a.safetensors", "b.safetensors"), "more than one"),
        ("openpose", lambda folder: pose_folder(folder / "none", "model.pt"), "no .onnx file"),
        ("openpose", lambda folder: pose_folder(folder / "two", "a.onnx", "b.onnx"), "at most one yolox"),
        ("openpose", lambda folder: pose_folder(folder / "only", "yolox_l.onnx"), "at most one yolox"),
    ],
)
def test_a_broken_one_is_named_and_leaves_the_others(
    kind: ControlType, make: object, words: str, tmp_path: Path
) -> None:
    known = read(**{kind: make(tmp_path)})  # type: ignore[operator]
    assert [entry.name for entry in known.unavailable()] == [kind]
    with pytest.raises(PreprocessorUnavailable, match=words) as refused:
        known.spec(kind, "controlnets.0.type")
    assert refused.value.field == "controlnets.0.type"
    assert known.spec("canny", "type")


def test_a_setting_for_a_type_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'canny' is none of depth, openpose, segmentation, softedge"):
        open_catalog(Settings(home=tmp_path, preprocessors={"canny": tmp_path}))


def test_the_catalog_tells_of_broken_ones(tmp_path: Path) -> None:
    catalog = open_catalog(Settings(home=tmp_path, preprocessors={"depth": tmp_path / "nowhere"}))
    assert catalog.broken() == ("the preprocessor depth is broken: nowhere: no such file or folder",)


def test_weights_are_counted_as_what_they_take_in_memory(tmp_path: Path) -> None:
    hed = tmp_path / "hed.safetensors"
    hed.write_bytes(safetensors({"w": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}}, bytes(12)))
    assert read(softedge=hed).spec("softedge", "type").bytes == 6 * 4
