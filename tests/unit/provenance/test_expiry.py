"""Pictures whose signing certificate has run out."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from darkroom.errors import SigningUnavailable
from darkroom.provenance import Stamped, State, TssWatermarker
from tests.unit.provenance.certificates import Authority, in_time
from tests.unit.provenance.house import House
from tests.unit.provenance.making import decoded, shapes


@dataclass(frozen=True)
class Aged:
    """A house whose certificate has expired since it issued a picture, and a house that never heard of it."""

    house: House
    stranger: House
    stamped: Stamped


def issued(house: House) -> tuple[House, Stamped]:
    return house, asyncio.run(house.issue(shapes(64, 64)))


@pytest.fixture(scope="module")
def aged() -> Aged:
    authority = Authority()
    house, stamped = in_time(lambda lives: issued(House(authority.signer("Short-lived", lives=lives))))
    time.sleep(max(0.0, house.identity.expires_at.timestamp() + 1.1 - time.time()))
    return Aged(house, House(authority.signer("Successor")), stamped)


@pytest.mark.slow
async def test_a_picture_on_record_outlives_the_certificate_that_signed_it(aged: Aged) -> None:
    verdict = await aged.house.verify(aged.stamped.data)
    assert verdict.state is State.INTACT
    assert verdict.signer is not None
    assert verdict.signer.trusted
    assert verdict.generation is not None


@pytest.mark.slow
async def test_it_does_so_without_a_mark_that_can_be_read(aged: Aged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TssWatermarker, "identify", lambda *_: None)
    assert (await aged.house.verify(aged.stamped.data)).state is State.INTACT
    assert (await aged.stranger.verify(aged.stamped.data)).state is State.INTACT_UNTRUSTED_SIGNER


@pytest.mark.slow
async def test_a_stripped_picture_is_recovered_after_the_certificate_has_expired(aged: Aged) -> None:
    verdict = await aged.house.verify_pixels(decoded(aged.stamped.data))
    assert (verdict.state, verdict.manifest_id) == (State.RECOVERED, aged.stamped.manifest_id)


@pytest.mark.slow
async def test_a_picture_that_is_not_on_record_is_not_trusted_after_its_certificate_has_expired(aged: Aged) -> None:
    verdict = await aged.stranger.verify(aged.stamped.data)
    assert verdict.state is State.INTACT_UNTRUSTED_SIGNER
    assert verdict.generation is None


@pytest.mark.slow
async def test_what_was_changed_does_not_become_intact_by_the_certificate_running_out(aged: Aged) -> None:
    assert (await aged.house.verify(aged.stamped.data + b"\0")).state is State.MODIFIED_RECOVERED
    assert (await aged.stranger.verify(aged.stamped.data + b"\0")).state is State.MODIFIED


@pytest.mark.slow
async def test_nothing_leaves_with_a_certificate_that_has_expired(aged: Aged) -> None:
    with pytest.raises(SigningUnavailable, match="has expired"):
        await aged.house.issue(job_id="01LATER")
