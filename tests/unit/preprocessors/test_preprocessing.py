"""The door to all methods: sizes, resolutions, and what becomes of trouble."""

from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.catalog.preprocessors import BUILT_IN, Preprocessors, read_preprocessors
from darkroom.catalog.registry import open_catalog
from darkroom.contract.control import ControlType
from darkroom.errors import BrokenWeights, OutOfMemory, PreprocessorFailed, PreprocessorUnavailable
from darkroom.inputs.normal import Pixels
from darkroom.settings import Settings
from tests.unit.preprocessors.pictures import house, noise
from tests.unit.preprocessors.tiny import depth_folder, hed_file
from worker.preprocessors import preprocessing
from worker.preprocessors.canny import canny
from worker.preprocessors.resolution import MOST_PIXELS, at_resolution


def without_weights() -> preprocessing.Preprocessors:
    return preprocessing.Preprocessors(read_preprocessors({}, lambda _: ""), {})


@pytest.mark.parametrize("kind", BUILT_IN)
def test_what_needs_no_weights_is_there(kind: ControlType) -> None:
    found = without_weights().map(kind, house(96)[:, :80])
    assert found.shape == (96, 80, 3)
    assert found.any()


def test_what_needs_weights_says_which_setting_brings_them() -> None:
    with pytest.raises(PreprocessorUnavailable, match=r"DARKROOM_PREPROCESSORS='\{\"depth\": \"PATH\"\}'") as refused:
        without_weights().map("depth", house())
    assert refused.value.field == "type"


def test_a_type_whose_weights_this_worker_does_not_know_is_refused() -> None:
    spec = read_preprocessors({}, lambda _: "").spec("canny", "type").model_copy(update={"method": "hed"})
    with pytest.raises(PreprocessorUnavailable):
        preprocessing.Preprocessors(Preprocessors([spec]), {}).map("canny", house())


def test_a_large_picture_is_looked_at_small_and_its_map_is_large_again() -> None:
    seen: list[tuple[int, ...]] = []

    def method(rgb_HW3: Pixels) -> Pixels:
        seen.append(rgb_HW3.shape)
        return canny(rgb_HW3)

    assert at_resolution(method, house(256)[:, :192], 96).shape == (256, 192, 3)
    assert at_resolution(method, house(64), 96).shape == (64, 64, 3)
    assert seen == [(128, 96, 3), (64, 64, 3)]


def test_banners_are_looked_at_within_a_bound() -> None:
    seen: list[tuple[int, ...]] = []

    def method(rgb_HW3: Pixels) -> Pixels:
        seen.append(rgb_HW3.shape)
        return rgb_HW3

    banner = np.zeros((400, 12_000, 3), np.uint8)
    assert at_resolution(method, banner, 400).shape == banner.shape
    assert seen[0][0] * seen[0][1] <= 1.01 * MOST_PIXELS


def test_colours_that_mean_something_are_not_mixed() -> None:
    def halves(rgb_HW3: Pixels) -> Pixels:
        found = np.zeros_like(rgb_HW3)
        found[:, rgb_HW3.shape[1] // 2 :] = 200
        return found

    assert set(np.unique(at_resolution(halves, house(100), 33, exact=True))) == {0, 200}
    assert len(np.unique(at_resolution(halves, house(100), 33))) > 2


@pytest.mark.parametrize("shape", [(0, 8, 3), (8, 0, 3)])
def test_a_picture_that_breaks_a_method_is_refused_in_our_words(shape: tuple[int, ...]) -> None:
    with pytest.raises(PreprocessorFailed, match="no canny map"):
        without_weights().map("canny", np.zeros(shape, np.uint8))


def test_weights_that_the_settings_name_make_maps(tmp_path: Path) -> None:
    paths = {
        "depth": depth_folder(tmp_path / "depth"),
        "softedge": hed_file(tmp_path),
    }
    settings = Settings(home=tmp_path, device="cpu", preprocessors=paths)
    opened = preprocessing.open_preprocessors(settings, open_catalog(settings))
    for kind in paths:
        found = opened.map(kind, noise(96)[:, :80], 64)  # type: ignore[arg-type]
        assert found.shape == (96, 80, 3)
        assert found.any()


def test_weights_that_went_bad_meanwhile_are_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, device="cpu", preprocessors={"softedge": hed_file(tmp_path)})
    opened = preprocessing.open_preprocessors(settings, open_catalog(settings))
    (tmp_path / "hed.safetensors").write_bytes(b"something else")
    with pytest.raises(BrokenWeights, match=r"hed\.safetensors"):
        opened.map("softedge", house())


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), OutOfMemory),
        (MemoryError(), OutOfMemory),
        (RuntimeError("a shape"), PreprocessorFailed),
        (torch.AcceleratorError("CUDA error: an illegal memory access"), torch.AcceleratorError),
    ],
)
def test_trouble_of_the_device_is_told_from_that_of_a_picture(
    raised: Exception, told: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> Pixels:
        raise raised

    monkeypatch.setitem(preprocessing.WITHOUT_WEIGHTS, "canny", breaks)  # type: ignore[arg-type]
    with pytest.raises(told):
        without_weights().map("canny", house())
