"""What stays, stays to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.contract.start import Box
from worker.pictures.overlay import Overlay, feathered

DICE = np.random.default_rng(0)


def pixels(height: int, width: int) -> np.ndarray:
    return DICE.integers(0, 256, (height, width, 3), dtype=np.uint8)


def square(height: int = 40, width: int = 40, *, box: tuple[slice, slice]) -> np.ndarray:
    mask_HW = np.zeros((height, width), np.bool_)
    mask_HW[box] = True
    return mask_HW


MIDDLE = (slice(10, 30), slice(10, 30))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 64))
def test_no_share_lies_outside_the_mask_and_some_is_whole(seed: int, blur: int) -> None:
    mask_HW = np.random.default_rng(seed).random((24, 32)) < 0.3
    share_HW = feathered(mask_HW, blur)
    assert (share_HW[~mask_HW] == 0).all()
    assert (share_HW[mask_HW] > 0).all()
    assert share_HW.max() == 1


def test_without_feather_the_whole_mask_is_new() -> None:
    mask_HW = square(box=MIDDLE)
    assert np.array_equal(feathered(mask_HW, 0) == 1, mask_HW)


def test_a_feather_rises_inwards_over_its_pixels() -> None:
    share = feathered(square(box=MIDDLE), 3)[20, 8:20]
    assert share == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1])


def test_the_edge_of_the_picture_is_no_edge_of_the_mask() -> None:
    share_HW = feathered(square(box=(slice(None), slice(0, 20))), 4)
    assert (share_HW[:, :15] == 1).all()


def test_a_mask_over_everything_is_new_everywhere() -> None:
    assert (feathered(np.ones((8, 8), np.bool_), 4) == 1).all()


def test_unmasked_pixels_are_the_originals_and_masked_ones_the_new() -> None:
    original_HW3, made_HW3, mask_HW = pixels(40, 40), pixels(40, 40), square(box=MIDDLE)
    overlay = Overlay(original_HW3, feathered(mask_HW, 0), Box(left=0, top=0, width=40, height=40))
    result = overlay.over(made_HW3)
    assert np.array_equal(result[~mask_HW], original_HW3[~mask_HW])
    assert np.array_equal(result[mask_HW], made_HW3[mask_HW])


def test_a_part_that_was_seen_larger_is_scaled_back_into_its_place() -> None:
    original_HW3, seen = pixels(40, 40), Box(left=8, top=4, width=16, height=12)
    overlay = Overlay(original_HW3, np.ones((12, 16), np.float32), seen)
    result = overlay.over(np.full((24, 32, 3), 77, np.uint8))
    inside = square(box=(slice(4, 16), slice(8, 24)))
    assert (result[inside] == 77).all()
    assert np.array_equal(result[~inside], original_HW3[~inside])


def test_the_original_is_not_written_to() -> None:
    original_HW3 = pixels(8, 8)
    before = original_HW3.copy()
    Overlay(original_HW3, np.ones((8, 8), np.float32), Box(left=0, top=0, width=8, height=8)).over(pixels(8, 8))
    assert np.array_equal(original_HW3, before)
