"""Who serves what: said by workers for one lease at a time, so that a silent one is missed."""

from darkroom.ledger.protocol import Ledger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import DIED


async def test_nobody_serves_at_first(ledger: Ledger) -> None:
    assert await ledger.serving() == {}


async def test_workers_are_counted_by_model(ledger: Ledger) -> None:
    await ledger.attend("left", ["tiny", "portrait.v1"])
    await ledger.attend("right", ["tiny"])
    await ledger.attend("right", ["tiny"])
    assert await ledger.serving() == {"tiny": 2, "portrait.v1": 1}


async def test_a_worker_hears_how_many_serve_what_it_serves(ledger: Ledger) -> None:
    assert await ledger.attend("left", ["tiny", "portrait.v1"]) == {"tiny": 1, "portrait.v1": 1}
    assert await ledger.attend("right", ["tiny"]) == {"tiny": 2}
    assert await ledger.attend("left", []) == {}


async def test_a_worker_that_falls_silent_serves_no_longer_than_its_lease(ledger: Ledger, clock: StillClock) -> None:
    await ledger.attend("left", ["tiny"])
    await clock.advance(14)
    await ledger.attend("right", ["tiny"])
    await clock.advance(1)
    assert await ledger.serving() == {"tiny": 1}
    await clock.advance(14)
    assert await ledger.serving() == {}


async def test_a_worker_serves_what_it_said_last(ledger: Ledger) -> None:
    await ledger.attend("left", ["tiny", "other"])
    await ledger.attend("right", ["tiny"])
    await ledger.attend("left", [])
    assert await ledger.serving() == {"tiny": 1}


async def test_a_worker_known_to_be_dead_serves_nothing(ledger: Ledger) -> None:
    await ledger.attend("left", ["tiny"])
    await ledger.attend("right", ["tiny"])
    await ledger.abandon("left", DIED)
    assert await ledger.serving() == {"tiny": 1}
