"""What each model has to do, for whoever decides how many workers there should be."""

from darkroom.ledger.protocol import Ledger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import claimed, submitted, succeeded


async def test_a_model_with_nothing_to_do_is_not_told_of(ledger: Ledger) -> None:
    assert await ledger.workloads() == {}
    await submitted(ledger)
    claim = await claimed(ledger)
    await ledger.finish(claim.job_id, claim.attempt, succeeded())
    assert await ledger.workloads() == {}


async def test_seconds_in_line_and_running_are_told_apart(ledger: Ledger) -> None:
    for tenant in ("ann", "bob", "ann"):
        await submitted(ledger, tenant)
    before = (await ledger.workloads())["tiny"]
    assert (before.waiting, before.running_seconds) == (3, 0)
    await claimed(ledger)
    after = (await ledger.workloads())["tiny"]
    assert after.waiting == 2
    assert after.running_seconds > 0
    assert after.queued_seconds + after.running_seconds == before.queued_seconds


async def test_the_oldest_is_the_one_that_came_first_whoever_sent_it(ledger: Ledger, clock: StillClock) -> None:
    await submitted(ledger, "ann")
    await clock.advance(7)
    await submitted(ledger, "bob")
    await clock.advance(5)
    assert (await ledger.workloads())["tiny"].oldest_seconds == 12
    await claimed(ledger)
    assert (await ledger.workloads())["tiny"].oldest_seconds == 5


async def test_one_that_was_handed_back_is_as_old_as_it_is(ledger: Ledger, clock: StillClock) -> None:
    await submitted(ledger)
    claim = await claimed(ledger)
    assert (await ledger.workloads())["tiny"].oldest_seconds == 0
    await clock.advance(3)
    await ledger.release(claim.job_id, claim.attempt)
    assert (await ledger.workloads())["tiny"].oldest_seconds == 3
