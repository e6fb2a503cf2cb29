"""What of a mask counts."""

import numpy as np
import pytest

from darkroom.contract.start import Box
from darkroom.inputs.mask import binary, bounds


def test_from_half_grey_on_it_is_light_and_what_is_transparent_is_dark() -> None:
    greys = np.array([[0, 127, 128, 255]], np.uint8)
    opaque = np.repeat(greys[..., None], 3, axis=2)
    assert binary(opaque).tolist() == [[False, False, True, True]]
    clear = np.concatenate([opaque, np.zeros((1, 4, 1), np.uint8)], axis=2)
    assert not binary(clear).any()


@pytest.mark.parametrize(("rows", "columns"), [((0, 1), (0, 1)), ((3, 9), (5, 6)), ((0, 10), (0, 20))])
def test_bounds_hold_all_that_is_light_and_nothing_more(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    mask_HW = np.zeros((10, 20), np.bool_)
    mask_HW[slice(*rows), slice(*columns)] = True
    assert bounds(mask_HW) == Box(left=columns[0], top=rows[0], width=columns[1] - columns[0], height=rows[1] - rows[0])


def test_darkness_has_no_bounds() -> None:
    assert bounds(np.zeros((4, 4), np.bool_)) is None
