"""Jobs that are no generations stand in line like any other, and are in no list of generations."""

from ulid import ULID

from darkroom.contract.job import JobState
from darkroom.contract.preprocess import PREPROCESSING, PreprocessPlan
from darkroom.contract.start import PictureRef
from darkroom.ledger.protocol import Ledger, Outcome, Submission
from tests.integration.ledger.making import claimed, submitted

PLAN = PreprocessPlan(
    type="canny",
    preprocessor="ab" * 32,
    image=PictureRef(sha256="cd" * 32, width=8, height=8),
    resolution=512,
    map_name="ef" * 32,
    priority="interactive",
    deadline_at=None,
    predicted_seconds=0.05,
)


async def asked(ledger: Ledger, key: str | None = None) -> str:
    submission = Submission(job_id=str(ULID()), tenant="ann", plan=PLAN, idempotency_key=key, body_hash="")
    return (await ledger.submit(submission)).job.id


async def test_a_map_is_claimed_by_who_makes_maps_and_finished_without_pictures(ledger: Ledger) -> None:
    job_id = await asked(ledger)
    assert await ledger.waiting() == {PREPROCESSING: 1}
    assert await ledger.claim("worker", ["tiny"], 1) == []
    claim = await claimed(ledger, [PREPROCESSING])
    assert (claim.job_id, claim.plan) == (job_id, PLAN)
    job = await ledger.finish(job_id, claim.attempt, Outcome(state=JobState.SUCCEEDED))
    assert (job.state, job.plan, job.artifacts) == (JobState.SUCCEEDED, PLAN, ())
    assert await ledger.get("ann", job_id) == job


async def test_lists_of_generations_hold_generations_alone(ledger: Ledger) -> None:
    first = await submitted(ledger)
    await asked(ledger)
    second = await submitted(ledger)
    page = await ledger.jobs("ann", limit=2)
    assert ([job.id for job in page.jobs], page.cursor) == (sorted([first, second], reverse=True), None)


async def test_one_map_asked_for_twice_is_one_job(ledger: Ledger) -> None:
    assert await asked(ledger, "map x") == await asked(ledger, "map x")
