"""Ends that no worker writes are told to one sweep, whoever made them."""

import asyncio

from darkroom.ledger.protocol import Ended, Ledger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import FAILED, START, claimed, submitted, succeeded

CANCELED = Ended(model="tiny", state="canceled", code="", jobs=1)
EXPIRED = Ended(model="tiny", state="expired", code="", jobs=1)


async def test_what_was_canceled_is_told_to_one_sweep_in_line_or_running(ledger: Ledger) -> None:
    running, waiting = await submitted(ledger), await submitted(ledger)
    assert (await claimed(ledger)).job_id == running
    for job_id in (running, waiting, waiting):
        await ledger.cancel("ann", job_id)
    assert (await ledger.reap()).untold == (CANCELED._replace(jobs=2),)
    assert (await ledger.reap()).untold == ()


async def test_what_expired_is_told_whether_a_claim_or_a_sweep_ended_it(ledger: Ledger, clock: StillClock) -> None:
    await submitted(ledger, deadline_at=START + 3)
    await clock.advance(3)
    assert await ledger.claim("worker", ["tiny"], 1) == []
    await submitted(ledger, model="other", deadline_at=START + 9)
    await clock.advance(9)
    swept = await ledger.reap()
    assert len(swept.ended) == 1
    assert swept.untold == (EXPIRED._replace(model="other"), EXPIRED)
    assert (await ledger.reap()).untold == ()


async def test_what_was_given_up_is_told_with_its_code(ledger: Ledger, clock: StillClock) -> None:
    """No worker is left to count it."""
    job_id = await submitted(ledger)
    for _ in range(3):
        await claimed(ledger)
        await clock.advance(15)
        swept = await ledger.reap()
        await clock.advance(5)
    assert swept.ended == (job_id,)
    assert swept.untold == (Ended(model="tiny", state="failed", code="attempts_exhausted", jobs=1),)
    assert (await ledger.reap()).untold == ()


async def test_what_a_worker_ended_is_the_workers_to_tell(ledger: Ledger) -> None:
    for outcome in (succeeded(), FAILED):
        await submitted(ledger)
        claim = await claimed(ledger)
        await ledger.finish(claim.job_id, claim.attempt, outcome)
        await ledger.cancel("ann", claim.job_id)
    assert (await ledger.reap()).untold == ()


async def test_of_sweeps_at_once_one_is_told(ledger: Ledger) -> None:
    for _ in range(3):
        await ledger.cancel("ann", await submitted(ledger))
    told = await asyncio.gather(*(ledger.reap() for _ in range(4)))
    assert sum(ended.jobs for swept in told for ended in swept.untold) == 3


async def test_one_whose_counts_nobody_sees_is_told_nothing_and_leaves_it_to_others(ledger: Ledger) -> None:
    await ledger.cancel("ann", await submitted(ledger))
    assert (await ledger.reap(counts=False)).untold == ()
    assert (await ledger.reap()).untold == (CANCELED,)


async def test_a_model_of_any_name_is_told_by_it(ledger: Ledger) -> None:
    for model in ("a b: c", "'\"\\", "∅"):
        await ledger.cancel("ann", await submitted(ledger, model=model))
    assert {ended.model for ended in (await ledger.reap()).untold} == {"a b: c", "'\"\\", "∅"}
