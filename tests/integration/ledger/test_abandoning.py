"""What a supervisor does when its child has died."""

from darkroom.contract.job import JobState
from darkroom.ledger.protocol import Ledger
from tests.integration.ledger.making import DIED, submitted, succeeded


async def test_jobs_of_a_dead_worker_are_taken_back_at_the_next_sweep(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    (claim,) = await ledger.claim("dead", ["tiny"], 1)
    assert await ledger.abandon("dead", DIED) == (job_id,)
    assert (await ledger.reap()).requeued == (job_id,)
    job = await ledger.get("ann", job_id)
    assert (job.state, job.attempt) == (JobState.QUEUED, claim.attempt)


async def test_jobs_of_other_workers_are_left_alone(ledger: Ledger) -> None:
    await submitted(ledger)
    (claim,) = await ledger.claim("alive", ["tiny"], 1)
    assert await ledger.abandon("dead", DIED) == ()
    assert (await ledger.reap()).requeued == ()
    assert (await ledger.finish(claim.job_id, claim.attempt, succeeded())).state is JobState.SUCCEEDED


async def test_a_worker_that_was_buried_alive_keeps_its_job_by_renewing_before_the_sweep(ledger: Ledger) -> None:
    await submitted(ledger)
    (claim,) = await ledger.claim("slow", ["tiny"], 1)
    await ledger.abandon("slow", DIED)
    assert not (await ledger.renew("slow", {claim.job_id: claim.attempt})).lost
    assert (await ledger.reap()).requeued == ()
