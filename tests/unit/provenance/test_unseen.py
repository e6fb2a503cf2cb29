"""What verify says of what it could not look at."""

import pytest

from darkroom.provenance import SigningIdentity, State
from darkroom.provenance.verdict import NO_PIXELS, NO_READER, NOTES, TOO_SMALL
from darkroom.provenance.watermark import NoWatermarker
from tests.unit.provenance.house import House
from tests.unit.provenance.making import clouds, encoded, shapes


@pytest.mark.slow
async def test_a_picture_too_small_for_a_mark_says_so(house: House) -> None:
    verdict = await house.verify_pixels(shapes(40, 40))
    assert (verdict.state, verdict.notes) == (State.NO_EVIDENCE, (TOO_SMALL,))
    assert (await house.verify_pixels(shapes(96, 96))).notes == ()


async def test_who_reads_no_marks_says_so(identity: SigningIdentity) -> None:
    verdict = await House(identity, NoWatermarker()).verify_pixels(shapes(96, 96))
    assert (verdict.state, verdict.notes) == (State.NO_EVIDENCE, (NO_READER,))


async def test_a_picture_that_breaks_off_says_that_its_pixels_were_not_seen(house: House) -> None:
    stamped = await house.issue(clouds(128, 128), output_format="jpeg")
    assert (await house.verify(stamped.data[: len(stamped.data) * 3 // 4])).notes == (NO_PIXELS,)


async def test_a_picture_whose_mark_was_read_needs_no_excuse(house: House) -> None:
    assert (await house.verify((await house.issue()).data)).notes == ()
    assert (await house.verify(encoded(shapes(128, 128)))).notes == ()


def test_no_note_says_how_a_picture_was_not_made() -> None:
    assert all("not made" not in note and "authentic" not in note and "human" not in note for note in NOTES)
