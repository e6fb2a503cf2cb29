"""Leases, fencing and the ends of jobs."""

import pytest

from darkroom.contract.job import Job, JobState, Progress, Receipt
from darkroom.errors import StaleAttempt
from darkroom.ledger.protocol import Ledger, Outcome
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import (
    FAILED,
    START,
    announced,
    claimed,
    plan,
    position,
    submitted,
    succeeded,
    webhook,
)


async def test_a_finished_job_keeps_its_pictures_and_receipt(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger)
    claim = await claimed(ledger)
    await clock.advance(2)
    receipt = Receipt(plan=plan(), versions={"torch": "2.13"}, device="cpu", device_seconds=1.25)
    outcome = succeeded(1.25, images=2).model_copy(update={"receipt": receipt})
    job = await ledger.finish(job_id, claim.attempt, outcome)
    assert job == await ledger.get("ann", job_id)
    assert (job.state, job.artifacts, job.receipt) == (JobState.SUCCEEDED, outcome.artifacts, receipt)
    assert (job.started_at, job.finished_at) == (START, START + 2)


async def test_a_failed_job_says_why(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    claim = await claimed(ledger)
    job = await ledger.finish(job_id, claim.attempt, FAILED)
    assert (job.state, job.failure) == (JobState.FAILED, FAILED.failure)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.CANCELED, JobState.EXPIRED])
async def test_an_attempt_cannot_end_in_a_state_that_is_not_a_workers(ledger: Ledger, state: JobState) -> None:
    await submitted(ledger)
    claim = await claimed(ledger)
    with pytest.raises(ValueError, match="cannot end"):
        await ledger.finish(claim.job_id, claim.attempt, Outcome(state=state))


async def test_a_job_finishes_once(ledger: Ledger) -> None:
    await submitted(ledger, webhook=webhook())
    claim = await claimed(ledger)
    first = await ledger.finish(claim.job_id, claim.attempt, succeeded())
    with pytest.raises(StaleAttempt):
        await ledger.finish(claim.job_id, claim.attempt, FAILED)
    assert await ledger.get("ann", claim.job_id) == first
    assert await announced(ledger) == ["generation.succeeded"]


@pytest.mark.parametrize("outcome", [succeeded(), FAILED])
async def test_a_last_word_whose_answer_was_lost_may_be_said_again(ledger: Ledger, outcome: Outcome) -> None:
    await submitted(ledger, webhook=webhook())
    claim = await claimed(ledger)
    first = await ledger.finish(claim.job_id, claim.attempt, outcome)
    assert await ledger.finish(claim.job_id, claim.attempt, outcome) == first
    assert len(await announced(ledger)) == 1
    assert len(await ledger.events(claim.job_id)) == 3


async def test_another_attempts_end_is_nobody_elses_however_alike(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    old = await claimed(ledger)
    await ledger.release(job_id, old.attempt)
    await ledger.finish(job_id, (await claimed(ledger)).attempt, FAILED)
    with pytest.raises(StaleAttempt):
        await ledger.finish(job_id, old.attempt, FAILED)


async def test_a_zombie_cannot_finish_what_another_holds(ledger: Ledger, clock: StillClock) -> None:
    await submitted(ledger)
    zombie = await claimed(ledger)
    await clock.advance(15)
    assert (await ledger.reap()).requeued == (zombie.job_id,)
    heir = await claimed(ledger)
    with pytest.raises(StaleAttempt):
        await ledger.finish(zombie.job_id, zombie.attempt, FAILED)
    job = await ledger.finish(heir.job_id, heir.attempt, succeeded())
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)


async def test_a_zombie_cannot_use_the_number_of_a_handed_back_attempt(ledger: Ledger) -> None:
    """A hand-back does not count, yet the next attempt must not look like the last one."""
    await submitted(ledger)
    zombie = await claimed(ledger)
    await ledger.release(zombie.job_id, zombie.attempt)
    heir = await claimed(ledger)
    assert heir.attempt != zombie.attempt
    with pytest.raises(StaleAttempt):
        await ledger.finish(zombie.job_id, zombie.attempt, FAILED)
    assert (await ledger.finish(heir.job_id, heir.attempt, succeeded())).attempt == 1


async def test_nothing_of_a_stale_attempt_is_heard(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger)
    zombie = await claimed(ledger)
    await clock.advance(15)
    await ledger.reap()
    before = await ledger.events(job_id)
    await ledger.report((job_id, zombie.attempt, Progress(step=1, steps=2)))
    await ledger.release(job_id, zombie.attempt)
    assert await ledger.events(job_id) == before
    assert (await ledger.get("ann", job_id)).progress is None


async def test_a_zombie_cannot_hand_back_what_another_holds_nor_speak_for_it(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger)
    zombie = await claimed(ledger)
    await clock.advance(15)
    await ledger.reap()
    heir = await claimed(ledger)
    before = await ledger.events(job_id)
    await ledger.release(job_id, zombie.attempt)
    await ledger.report((job_id, zombie.attempt, Progress(step=1, steps=2)))
    assert await ledger.events(job_id) == before
    assert (await ledger.get("ann", job_id)).state is JobState.RUNNING
    assert (await ledger.finish(job_id, heir.attempt, succeeded())).attempt == 2


async def test_an_unknown_job_is_stale_lost_or_nothing(ledger: Ledger) -> None:
    with pytest.raises(StaleAttempt):
        await ledger.finish("nobody", 1, succeeded())
    assert (await ledger.renew("worker", {"nobody": 1})).lost == {"nobody"}
    await ledger.release("nobody", 1)
    await ledger.report(("nobody", 1, Progress(step=1, steps=2)))
    assert await position(ledger, "nobody") is None


async def test_a_stale_attempt_keeps_nobody_elses_progress_back(ledger: Ledger) -> None:
    await submitted(ledger)
    await submitted(ledger)
    one, two = await ledger.claim("worker", ["tiny"], 2)
    await ledger.release(one.job_id, one.attempt)
    await ledger.report(*((claim.job_id, claim.attempt, Progress(step=1, steps=2)) for claim in (one, two)))
    assert (await ledger.get("ann", one.job_id)).progress is None
    assert (await ledger.get("ann", two.job_id)).progress == Progress(step=1, steps=2)
    assert await ledger.events("nobody") == []


async def test_renewing_keeps_a_job_past_its_first_lease(ledger: Ledger, clock: StillClock) -> None:
    await submitted(ledger)
    claim = await claimed(ledger)
    await clock.advance(14)
    renewal = await ledger.renew("worker", {claim.job_id: claim.attempt})
    assert (renewal.lost, renewal.canceled) == (frozenset(), frozenset())
    await clock.advance(14)
    assert (await ledger.reap()).requeued == ()
    await clock.advance(1)
    assert (await ledger.reap()).requeued == (claim.job_id,)


async def test_renewing_tells_what_was_lost_and_what_canceled(ledger: Ledger, clock: StillClock) -> None:
    for _ in range(3):
        await submitted(ledger)
    lost, canceled, kept = await ledger.claim("worker", ["tiny"], 3)
    await ledger.release(lost.job_id, lost.attempt)
    await ledger.claim("other", ["tiny"], 1)
    await ledger.cancel("ann", canceled.job_id)
    renewal = await ledger.renew("worker", {claim.job_id: claim.attempt for claim in (lost, canceled, kept)})
    assert (renewal.lost, renewal.canceled) == ({lost.job_id}, {canceled.job_id})
    empty = await ledger.renew("worker", {})
    assert (empty.lost, empty.canceled) == (frozenset(), frozenset())


async def test_a_released_job_stands_in_front_again(ledger: Ledger) -> None:
    ids = [await submitted(ledger) for _ in range(3)]
    claims = await ledger.claim("worker", ["tiny"], 2)
    for claim in claims:
        await ledger.release(claim.job_id, claim.attempt)
    assert [await position(ledger, job_id) for job_id in ids] == [0, 1, 2]
    job = await ledger.get("ann", ids[0])
    assert (job.state, job.attempt, job.started_at) == (JobState.QUEUED, 0, None)


async def test_handed_back_attempts_do_not_exhaust_a_job(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    for _ in range(5):
        claim = await claimed(ledger)
        await ledger.release(job_id, claim.attempt)
    assert (await ledger.get("ann", job_id)).state is JobState.QUEUED


async def test_a_queued_job_is_canceled_out_of_its_line(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    assert (await ledger.cancel("ann", job_id)).state is JobState.CANCELED
    assert await ledger.claim("worker", ["tiny"], 1) == []
    assert await ledger.waiting() == {}


async def test_a_running_job_is_canceled_and_its_worker_refused(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    claim = await claimed(ledger)
    assert (await ledger.cancel("ann", job_id)).state is JobState.CANCELED
    with pytest.raises(StaleAttempt):
        await ledger.finish(job_id, claim.attempt, succeeded())
    assert (await ledger.get("ann", job_id)).state is JobState.CANCELED


async def test_canceling_what_has_ended_changes_nothing(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger, webhook=webhook())
    claim = await claimed(ledger)
    ended: Job = await ledger.finish(job_id, claim.attempt, succeeded())
    await clock.advance(1)
    assert await ledger.cancel("ann", job_id) == ended
    assert await announced(ledger) == ["generation.succeeded"]


async def test_reap_expires_what_nobody_claims(ledger: Ledger, clock: StillClock) -> None:
    late = await submitted(ledger, deadline_at=START + 5)
    await submitted(ledger)
    await clock.advance(5)
    reaped = await ledger.reap()
    assert (reaped.ended, reaped.waiting) == ((late,), {"tiny": 1})


async def test_records_are_forgotten_after_their_time(ledger: Ledger, clock: StillClock) -> None:
    gone = await submitted(ledger)
    await ledger.cancel("ann", gone)
    await clock.advance(59)
    kept = await submitted(ledger)
    await ledger.cancel("ann", kept)
    await ledger.reap()
    assert len((await ledger.jobs("ann", limit=9)).jobs) == 2
    await clock.advance(1)
    await ledger.reap()
    assert [job.id for job in (await ledger.jobs("ann", limit=9)).jobs] == [kept]
    assert await ledger.events(gone) == []
