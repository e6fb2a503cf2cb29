"""Progress: what a job of ours looks like to a client that knows one job at a time."""

from typing import Any

import pytest

from api.dialects.a1111.progress import FEW, MANY, Standing, shown, standing
from darkroom.contract.job import Job, JobState, Progress
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import Outlook
from tests.integration.ledger.making import START, claimed, plan, submission


def job(state: JobState, **fields: Any) -> Job:
    told = {"id": "01J", "tenant": "ann", "plan": plan(seeds=(1, 2)), "attempt": 1, "created_at": START}
    return Job(**told, state=state, **fields)


def running(step: int, steps: int) -> Standing:
    at_work = job(JobState.RUNNING, started_at=START, progress=Progress(step=step, steps=steps))
    return Standing(running=(at_work,), newest=at_work)


def outlook(position: int | None, wait_seconds: float | None) -> Outlook:
    workers = 0 if wait_seconds is None else 1
    return Outlook(position=position, ahead_seconds=9, own_seconds=3, workers=workers, wait_seconds=wait_seconds)


def test_who_has_no_job_is_idle() -> None:
    told = shown(Standing(), None, START, None)
    assert (told["progress"], told["eta_relative"], told["state"]["job_count"]) == (0, 0, 0)
    assert not told["state"]["interrupted"]
    assert (told["current_image"], told["textinfo"]) == (None, None)


@pytest.mark.parametrize(("state", "interrupted"), [(JobState.CANCELED, True), (JobState.SUCCEEDED, False)])
def test_who_canceled_the_last_one_is_idle_and_interrupted(state: JobState, interrupted: bool) -> None:
    told = shown(Standing(newest=job(state)), None, START, None)
    assert (told["progress"], told["state"]["job_count"]) == (0, 0)
    assert told["state"]["interrupted"] is interrupted


def test_a_running_job_tells_steps_of_one_image_and_the_time_that_is_left() -> None:
    told = shown(running(10, 40), None, START + 5, "aGk=")
    assert told["progress"] == 0.25
    assert told["eta_relative"] == pytest.approx(15)
    assert told["state"]["job"] == "task(01J)"
    assert (told["state"]["job_count"], told["state"]["job_no"]) == (1, 0)
    assert (told["state"]["sampling_step"], told["state"]["sampling_steps"]) == (5, 20)
    assert told["state"]["job_timestamp"].isdecimal()
    assert len(told["state"]["job_timestamp"]) == 14
    assert told["current_image"] == "aGk="


def test_a_job_that_has_just_begun_is_not_idle() -> None:
    begun = job(JobState.RUNNING, started_at=START)
    told = shown(Standing(running=(begun,), newest=begun), None, START, None)
    assert told["progress"] > 0
    assert told["eta_relative"] == begun.plan.predicted_seconds
    assert told["state"]["sampling_steps"] == begun.generation.steps


@pytest.mark.parametrize(("step", "steps"), [(0, 0), (40, 40), (41, 40)])
def test_no_progress_is_outside_of_its_bounds(step: int, steps: int) -> None:
    told = shown(running(step, steps), None, START - 60, None)
    assert 0 < told["progress"] <= 1
    assert abs(told["eta_relative"]) == told["eta_relative"]


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (outlook(2, 7.4), "waiting behind 2 of yours, about 7 s"),
        (outlook(0, None), "waiting behind 0 of yours; no worker serves this model now"),
        (outlook(None, None), "waiting"),
        (None, "waiting"),
    ],
)
def test_a_waiting_job_tells_its_place(seen: Outlook | None, words: str) -> None:
    waiting = job(JobState.QUEUED)
    told = shown(Standing(waiting=(waiting,), newest=waiting), seen, START, None)
    assert told["textinfo"] == words
    assert told["progress"] > 0
    assert told["state"]["job_count"] == 1
    assert told["eta_relative"] >= 0


async def line_of(jobs: int) -> MemoryLedger:
    """So many jobs of ann's, with ids in the order in which they came."""
    ledger = MemoryLedger(clock=lambda: START)
    for number in range(jobs):
        await ledger.submit(submission(job_id=f"01{number:024}"))
    return ledger


async def test_shown_is_the_oldest_that_runs_and_then_the_oldest_that_waits() -> None:
    ledger = await line_of(2)
    first, second = (await standing(ledger, "ann", FEW)).waiting
    claim = await claimed(ledger)
    assert claim.job_id == first.id
    found = await standing(ledger, "ann", FEW)
    assert [each.id for each in found.running] == [first.id]
    assert found.waiting == (second,)
    assert (await standing(ledger, "ben", FEW)).current is None


async def test_the_job_that_runs_is_found_behind_many_that_wait() -> None:
    ledger = await line_of(46)
    claim = await claimed(ledger)
    found = await standing(ledger, "ann", FEW)
    assert found.current is not None
    assert found.current.id == claim.job_id
    assert len(found.waiting) == 45


async def test_who_interrupts_looks_further_back_than_who_watches() -> None:
    ledger = await line_of(1)
    claim = await claimed(ledger)
    for number in range(1, 8):
        ended = (await ledger.submit(submission(job_id=f"01{number:024}"))).job.id
        await ledger.cancel("ann", ended)
    assert (await standing(ledger, "ann", FEW)).running == ()
    assert [each.id for each in (await standing(ledger, "ann", MANY)).running] == [claim.job_id]
