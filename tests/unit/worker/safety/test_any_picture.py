"""Whatever array is handed to a checker of pictures, it scores it or says that it cannot."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from darkroom.errors import SafetyUnavailable
from darkroom.safety.hook import shown
from darkroom.safety.protocol import PictureChecker
from darkroom.settings import ClassifierPlace
from tests.unit.worker.safety.folders import concept_folder, label_folder
from worker.safety.folder import open_classifier
from worker.safety.open_nsfw import open_open_nsfw
from worker.safety.squares import MOST, squares

pytestmark = pytest.mark.slow

ANY = arrays(
    st.sampled_from([np.uint8, np.float32, np.int64]), array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=40)
)
PICTURE = st.tuples(st.integers(1, 60), st.integers(1, 60), st.just(3)).flatmap(lambda shape: arrays(np.uint8, shape))
MAKERS: list[Callable[[Path], Path]] = [concept_folder, label_folder, lambda path: label_folder(path, crops=True)]


@pytest.fixture(scope="module")
def checkers(tmp_path_factory: pytest.TempPathFactory) -> list[PictureChecker]:
    cpu = torch.device("cpu")
    folders = [make(tmp_path_factory.mktemp("folder")) for make in MAKERS]
    return [open_open_nsfw(), *(open_classifier("it", ClassifierPlace(path=folder), cpu) for folder in folders)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(array=ANY | PICTURE)
def test_no_array_breaks_a_checker(checkers: list[PictureChecker], array: np.ndarray) -> None:
    is_picture = array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 and array.size > 0
    for checker in checkers:
        try:
            scores = checker.scores(array)
        except SafetyUnavailable:
            assert not is_picture
        else:
            assert is_picture
            assert all(0 <= score <= 1 for score in scores.values())


@settings(max_examples=150, deadline=None)
@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_squares_cover_a_picture_from_end_to_end(height: int, width: int) -> None:
    row = np.arange(width, dtype=np.uint32) % 251
    picture = np.broadcast_to(row[None, :, None], (min(height, 64), width, 3)).astype(np.uint8)
    found = squares(picture)
    short, long = sorted(picture.shape[:2])
    assert 1 <= len(found) <= MOST
    assert {square.shape for square in found} == {(short, short, 3)}
    if long <= MOST * short and width >= picture.shape[0]:
        seen = {int(value) for square in found for value in square[0, :, 0]}
        assert seen == set(row.tolist())


@settings(max_examples=60, deadline=None)
@given(picture=PICTURE)
def test_any_picture_can_be_shown_to_a_service(picture: np.ndarray) -> None:
    told = shown(picture)
    assert (told["height"], told["width"]) == picture.shape[:2]
