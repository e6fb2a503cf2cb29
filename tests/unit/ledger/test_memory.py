"""What only the ledger in memory can be asked quickly."""

from darkroom.ledger.memory import MemoryLedger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import submission


async def test_an_idempotency_key_is_free_again_after_a_day() -> None:
    clock = StillClock()
    ledger = MemoryLedger(clock=clock)
    await ledger.submit(submission(key="k", body="one"))
    await clock.advance(24 * 3600 - 1)
    assert (await ledger.submit(submission(key="k", body="one"))).replayed
    await clock.advance(1)
    assert not (await ledger.submit(submission(key="k", body="two"))).replayed


async def test_its_health_says_that_it_does_not_last() -> None:
    health = await MemoryLedger().check()
    assert health.problems == ()
    assert len(health.warnings) == 1
