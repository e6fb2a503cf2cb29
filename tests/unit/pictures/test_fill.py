"""Colours for holes."""

import numpy as np
import pytest

from worker.pictures.fill import filled


def hole(height: int, width: int, box: tuple[slice, slice]) -> np.ndarray:
    mask_HW = np.zeros((height, width), np.bool_)
    mask_HW[box] = True
    return mask_HW


def test_what_is_no_hole_stays_and_the_hole_forgets_what_was_in_it() -> None:
    dice = np.random.default_rng(1)
    one, other = (dice.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(2))
    mask_HW = hole(48, 64, (slice(8, 40), slice(16, 32)))
    other[~mask_HW] = one[~mask_HW]
    assert np.array_equal(filled(one, mask_HW), filled(other, mask_HW))
    assert np.array_equal(filled(one, mask_HW)[~mask_HW], one[~mask_HW])


@pytest.mark.parametrize("width", [1, 30, 600])
def test_a_hole_in_one_colour_becomes_that_colour_however_wide(width: int) -> None:
    rgb_HW3 = np.empty((64, width + 20, 3), np.uint8)
    rgb_HW3[:] = (200, 30, 90)
    assert np.array_equal(filled(rgb_HW3, hole(64, width + 20, (slice(None), slice(10, 10 + width)))), rgb_HW3)


def test_nearer_colours_count_more() -> None:
    rgb_HW3 = np.zeros((40, 80, 3), np.uint8)
    rgb_HW3[:, 40:] = 255
    row = filled(rgb_HW3, hole(40, 80, (slice(None), slice(20, 60))))[20, :, 0].astype(int)
    assert row[22] < 60 < 195 < row[57]
    assert (np.diff(row[20:60]) >= -1).all()


def test_with_nothing_around_it_a_hole_is_grey() -> None:
    assert (filled(np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), np.bool_)) == 128).all()
