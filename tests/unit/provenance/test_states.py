"""The nine states as a table: real bytes, and what they amount to."""

from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from darkroom.provenance import SigningIdentity, State
from darkroom.provenance.verdict import DEVELOPMENT_WORDS, NOTES, WORDS
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.house import House
from tests.unit.provenance.making import MARK_ID, clouds, decoded, encoded, shapes, watermarker
from tests.unit.provenance.test_lineage import edited

Made = Callable[[House], Awaitable[bytes]]


async def as_it_left(house: House) -> bytes:
    return (await house.issue()).data


async def of_another_signer(house: House) -> bytes:
    return (await House(_stranger()).issue()).data


async def signed_anew_by_a_stranger(house: House) -> bytes:
    """Our marked pixels under a credential that names no picture of ours."""
    return edited(encoded(shapes(32, 32)), decoded((await house.issue()).data), _stranger())


async def stripped(house: House) -> bytes:
    return encoded(decoded((await house.issue()).data), "JPEG", quality=80)


async def changed(house: House) -> bytes:
    return (await house.issue()).data + b"\0"


async def copied_mark(house: House) -> bytes:
    plain = shapes(128, 128)
    residual = decoded((await house.issue(plain)).data).astype(int) - plain
    return encoded(np.clip(clouds(128, 128, seed=4) + 3 * residual, 0, 255).astype(np.uint8))


async def changed_and_not_on_record(house: House) -> bytes:
    return (await House(house.identity).issue()).data + b"\0"


async def never_issued(house: House) -> bytes:
    return encoded(watermarker().embed(shapes(128, 128), MARK_ID).rgb_HWC)


async def from_elsewhere(house: House) -> bytes:
    return encoded(clouds(128, 128))


TABLE: dict[State, tuple[Made, tuple[str, ...], bool]] = {
    State.INTACT: (as_it_left, ("credential", "watermark"), True),
    State.INTACT_UNTRUSTED_SIGNER: (of_another_signer, ("credential", "watermark"), False),
    State.CONFLICT: (signed_anew_by_a_stranger, ("credential", "watermark"), False),
    State.RECOVERED: (stripped, ("watermark",), True),
    State.MODIFIED_RECOVERED: (changed, ("credential", "watermark"), True),
    State.MARK_MISMATCH: (copied_mark, ("watermark",), False),
    State.MODIFIED: (changed_and_not_on_record, ("credential", "watermark"), False),
    State.UNKNOWN_ID: (never_issued, ("watermark",), False),
    State.NO_EVIDENCE: (from_elsewhere, (), False),
}
"""State -> how to get there, by which means it shows, and whether verify vouches for how the picture was made."""


def _stranger() -> SigningIdentity:
    return Authority("A Stranger's Authority").signer("A Stranger")


def test_every_state_has_its_row() -> None:
    assert list(TABLE) == list(State)


@pytest.mark.parametrize("state", TABLE)
async def test_a_picture_gets_the_state_of_its_row(house: House, state: State) -> None:
    make, means, vouched = TABLE[state]
    verdict = await house.verify(await make(house))
    assert (verdict.state, verdict.means, verdict.generation is not None) == (state, means, vouched)
    assert verdict.text == (DEVELOPMENT_WORDS if state is State.INTACT else WORDS[state])
    assert (verdict.signer is not None and verdict.signer.trusted) == vouched


async def test_a_credential_counts_where_its_own_mark_cannot_be_read(house: House) -> None:
    """The pixels of a picture signed elsewhere without a mark: absent is not another."""
    data = edited(encoded(shapes(32, 32)), shapes(128, 128), _stranger())
    verdict = await house.verify(data)
    assert (verdict.state, verdict.means) == (State.INTACT_UNTRUSTED_SIGNER, ("credential",))


# "No AI made it" can be said in many ways, and none of them may be.
FORBIDDEN = ("not made by", "not ai", "not an ai", "no ai", "human", "authentic", "genuine", "real photo", "camera")


@pytest.mark.parametrize("text", [*WORDS.values(), DEVELOPMENT_WORDS, *NOTES])
def test_no_words_say_that_a_picture_is_not_an_ais(text: str) -> None:
    assert not [words for words in FORBIDDEN if words in text.lower()]
