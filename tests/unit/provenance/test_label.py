"""The label that people can see: large enough, readable over any ground, and nowhere but in its corner."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from darkroom.errors import ConfigurationError
from darkroom.provenance import SigningIdentity, Stamper
from darkroom.provenance.label import SHARE, Label
from darkroom.provenance.policy import Policy
from tests.unit.provenance.house import House
from tests.unit.provenance.making import MARK_ID, facts, shapes, watermarker

LABEL = Label("AI-generated")


def rows(where_HW: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(where_HW.any(axis=1)).size)


@pytest.mark.parametrize(("height", "width"), [(128, 128), (512, 768), (1024, 512)])
@pytest.mark.parametrize("ground", [0, 127, 255])
def test_only_a_corner_is_changed(height: int, width: int, ground: int) -> None:
    before = np.full((height, width, 3), ground, np.uint8)
    after = Label("HHH").drawn(before)
    changed = (after != before).any(axis=2)
    assert not changed[: height * 3 // 4].any()
    assert not changed[:, : width // 2].any()
    assert changed.any()


@pytest.mark.parametrize(("height", "width"), [(128, 128), (512, 768), (1024, 512)])
def test_capitals_have_a_twentieth_of_the_short_side(height: int, width: int) -> None:
    after = Label("HHH").drawn(np.zeros((height, width, 3), np.uint8))
    assert rows((after > 200).all(axis=2)) >= SHARE * min(height, width)


async def test_a_labelled_picture_is_marked_and_signed_like_any_other(house: House, identity: SigningIdentity) -> None:
    stamper = Stamper(watermarker(), identity, house.records, Policy(label=LABEL))
    made = stamper.stamp(shapes(128, 128), facts(), MARK_ID)
    assert (await house.verify(made.data)).state == "intact"


def test_no_letter_is_cut_off_a_small_picture() -> None:
    after = LABEL.drawn(np.full((64, 64, 3), 127, np.uint8))
    assert (after[:, 0] == 127).all()
    assert (after != 127).any()


def test_a_font_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="visible_label_font"):
        Label("AI", tmp_path / "missing.ttf").check()
