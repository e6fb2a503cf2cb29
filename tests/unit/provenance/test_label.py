"""The label that people can see: large enough, readable over any ground, and nowhere but in its corner."""

import io
import json
from pathlib import Path

import c2pa
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


def actions_of(data: bytes) -> list[tuple[str, str | None]]:
    """What the credential in a PNG says was done, and how it puts it."""
    with c2pa.Reader("image/png", io.BytesIO(data)) as reader:
        report = json.loads(reader.json())
    assertions = report["manifests"][report["active_manifest"]]["assertions"]
    (told,) = [each["data"]["actions"] for each in assertions if each["label"] == "c2pa.actions.v2"]
    return [(action["action"], action.get("description")) for action in told]


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
    stamper = Stamper(watermarker(), identity, house.records, Policy(label=LABEL.text))
    made = stamper.stamp(shapes(128, 128), facts(), MARK_ID)
    assert (await house.verify(made.data)).state == "intact"


@pytest.mark.parametrize(
    ("operators", "planned", "drawn"),
    [("", "", None), ("AI", "", "AI"), ("", "made by AI", "made by AI"), ("AI", "KI", "KI")],
)
def test_what_is_drawn_is_what_was_planned_or_else_the_operators(
    operators: str, planned: str, drawn: str | None, tmp_path: Path
) -> None:
    policy = Policy(label=operators, font=tmp_path)
    expected = Label(drawn, tmp_path) if drawn else None
    assert policy.label_on(facts(visible_label=planned).plan) == expected


@pytest.mark.parametrize("operators", ["", "AI"])
async def test_a_credential_says_that_words_were_added_and_which(
    operators: str, house: House, identity: SigningIdentity
) -> None:
    stamper = Stamper(watermarker(), identity, house.records, Policy(label=operators))
    made = stamper.stamp(shapes(128, 128), facts(visible_label="" if operators else "KI"), MARK_ID)
    assert actions_of(made.data)[-2:] == [("c2pa.addedText", f"label: {operators or 'KI'}"), ("c2pa.watermarked", None)]
    plain = Stamper(watermarker(), identity, house.records).stamp(shapes(128, 128), facts(), MARK_ID)
    assert [action for action, _ in actions_of(plain.data)] == ["c2pa.created", "c2pa.watermarked"]


def test_no_letter_is_cut_off_a_small_picture() -> None:
    after = LABEL.drawn(np.full((64, 64, 3), 127, np.uint8))
    assert (after[:, 0] == 127).all()
    assert (after != 127).any()


def test_a_font_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_VISIBLE_LABEL_FONT"):
        Label("AI", tmp_path / "missing.ttf").check()
