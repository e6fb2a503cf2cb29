"""The methods that need no weights: what their maps show, and what they leave out."""

import cv2
import numpy as np
import pytest

from darkroom.inputs.normal import Pixels
from tests.unit.preprocessors.pictures import disc, flat, house, noise
from worker.preprocessors.canny import canny
from worker.preprocessors.method import Method
from worker.preprocessors.preprocessing import WITHOUT_WEIGHTS
from worker.preprocessors.scribble import scribble
from worker.preprocessors.soft_edge import soft_edge
from worker.preprocessors.straight_lines import straight_lines

METHODS = list(WITHOUT_WEIGHTS.values())


def near_outline(map_HW3: Pixels, side: int, within: int) -> float:
    """The share of a map's light that lies within so many pixels of the outline of `house`."""
    outline = np.zeros((side, side), np.uint8)
    cv2.rectangle(outline, (side // 4, side // 4), (3 * side // 4 - 1, 3 * side // 4 - 1), 255, 2 * within + 1)
    return float(map_HW3[outline > 0].sum() / map_HW3.sum())


@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_grey_and_as_large_as_its_picture(method: Method) -> None:
    picture = house()[:96]
    found = method(picture)
    assert (found.shape, found.dtype) == (picture.shape, np.uint8)
    assert (found == found[..., :1]).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_map_shows_where_shapes_meet(method: Method) -> None:
    found = method(house())
    assert found.max() == 255
    assert near_outline(found, 128, 10) > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_the_map_of_a_flat_picture_is_black(method: Method) -> None:
    assert not method(flat()).any()


@pytest.mark.parametrize("method", METHODS)
def test_a_map_depends_on_nothing_but_the_picture(method: Method) -> None:
    picture = noise()
    before = picture.copy()
    assert np.array_equal(method(picture), method(picture))
    assert np.array_equal(picture, before), "the picture itself is left alone"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 7)])
def test_slivers_of_pictures_have_maps_too(method: Method, shape: tuple[int, int]) -> None:
    assert method(np.full((*shape, 3), 200, np.uint8)).shape == (*shape, 3)


def test_canny_equals_what_controlnet_was_trained_on() -> None:
    picture = noise()
    assert np.array_equal(canny(picture)[..., 0], cv2.Canny(picture, 100, 200))


def test_scribble_draws_what_is_darker_than_around_it_in_some_channel() -> None:
    """The difference of Gaussians of `scribble_xdog`, sd-webui-controlnet, at its threshold of 32 half levels."""
    picture = noise()
    g1 = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.5)
    g2 = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 5.0)
    assert np.array_equal(scribble(picture)[..., 0] > 0, (2 * (g2 - g1) > 32).any(axis=2))


def test_edges_of_colour_alone_are_seen() -> None:
    for method in (soft_edge, scribble):
        assert method(disc()).max() == 255


def test_soft_edges_are_bold_at_outlines_and_faint_in_texture() -> None:
    picture = house()
    texture = np.random.default_rng(1).integers(-12, 13, (32, 32, 1))
    picture[48:80, 48:80] = (picture[48:80, 48:80].astype(int) + texture).astype(np.uint8)
    found = soft_edge(picture)[..., 0]
    assert found[52:76, 52:76].mean() < 0.2 * found[32, 40:88].mean()


def test_short_segments_and_round_shapes_are_no_straight_lines() -> None:
    speck = flat(256)
    speck[100:108, 100:108] = 255
    assert not straight_lines(speck).any()
    assert not straight_lines(noise()).any()
