"""Events: each move tells one thing."""

import asyncio
from time import monotonic

import pytest

from darkroom.contract.job import Progress
from darkroom.errors import InvalidField
from darkroom.ledger.protocol import Ledger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import FAILED, START, claimed, submitted, succeeded


async def told(ledger: Ledger, job_id: str) -> list[tuple[str, object]]:
    return [(event.name, event.data) for event in await ledger.events(job_id)]


async def test_a_whole_life_is_told_in_order(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger)
    claim = await claimed(ledger)
    await ledger.release(job_id, claim.attempt)
    await claimed(ledger)
    await clock.advance(15)
    await ledger.reap()
    claim = await claimed(ledger)
    await ledger.report((job_id, claim.attempt, Progress(step=3, steps=20)))
    await ledger.finish(job_id, claim.attempt, succeeded(images=2))
    assert await told(ledger, job_id) == [
        ("queued", {"position": 0, "ahead_seconds": 0.0}),
        ("running", {"attempt": 1}),
        ("requeued", {"reason": "released"}),
        ("running", {"attempt": 1}),
        ("requeued", {"reason": "lease_lost"}),
        ("running", {"attempt": 2}),
        ("progress", {"step": 3, "steps": 20}),
        ("succeeded", {"images": 2}),
    ]
    events = await ledger.events(job_id)
    assert (events[0].at, events[-1].at) == (START, START + 15)
    assert {event.job_id for event in events} == {job_id}


async def test_progress_is_kept_until_the_job_is_put_back(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    claim = await claimed(ledger)
    await ledger.report((job_id, claim.attempt, Progress(step=3, steps=20)))
    assert (await ledger.get("ann", job_id)).progress == Progress(step=3, steps=20)
    await ledger.release(job_id, claim.attempt)
    assert (await ledger.get("ann", job_id)).progress is None


async def test_a_failure_is_told_with_its_code(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    claim = await claimed(ledger)
    await ledger.finish(job_id, claim.attempt, FAILED)
    name, data = (await told(ledger, job_id))[-1]
    assert (name, data) == ("failed", {"code": "nan_output", "message": "not a number", "retryable": False})


async def test_reading_resumes_after_an_event(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    await claimed(ledger)
    first, second = await ledger.events(job_id)
    assert await ledger.events(job_id, after=first.id) == [second]
    assert await ledger.events(job_id, after=second.id) == []


@pytest.mark.parametrize("after", ["", "x", "-", "+", "$", "1-", "1-2-3", "-1", "1" * 21, str(2**64), "١"])
async def test_an_event_id_that_is_not_ours_is_refused(ledger: Ledger, after: str) -> None:
    with pytest.raises(InvalidField):
        await ledger.events("job", after=after)


async def test_who_waits_gets_the_next_event_at_once(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    (queued,) = await ledger.events(job_id)
    reader = asyncio.create_task(ledger.events(job_id, after=queued.id, wait=30))
    await asyncio.sleep(0.05)
    started = monotonic()
    await ledger.cancel("ann", job_id)
    assert [event.name for event in await reader] == ["canceled"]
    assert monotonic() - started < 0.9  # a bell, not the next look


async def test_waiting_for_an_event_that_is_there_does_not_wait(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    started = monotonic()
    assert len(await ledger.events(job_id, wait=30)) == 1
    assert monotonic() - started < 5


async def test_waiting_ends_without_news(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    (queued,) = await ledger.events(job_id)
    started = monotonic()
    assert await ledger.events(job_id, after=queued.id, wait=0.1) == []
    assert monotonic() - started >= 0.09
