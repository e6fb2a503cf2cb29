"""What a submission leaves in the ledger, and when it is refused."""

import pytest

from darkroom.contract.job import JobState
from darkroom.errors import IdempotencyMismatch, InvalidField, NotFound, QueueFull, TenantLimit
from darkroom.ledger.protocol import Ledger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import START, claimed, plan, position, submission, submitted


async def test_a_job_reads_back_as_it_was_submitted(ledger: Ledger) -> None:
    wanted = submission("ann", seeds=(1, 2), predicted_seconds=0.1, metadata={"k": "v"})
    accepted = await ledger.submit(wanted)
    job = await ledger.get("ann", wanted.job_id)
    assert accepted.job == job
    assert not accepted.replayed
    assert (job.plan, job.state, job.attempt, job.created_at) == (wanted.plan, JobState.QUEUED, 0, START)


async def test_position_counts_the_tenants_own_jobs_ahead(ledger: Ledger) -> None:
    ids = [await submitted(ledger) for _ in range(3)]
    await submitted(ledger, "bob")
    assert [await position(ledger, job_id) for job_id in ids] == [0, 1, 2]
    await ledger.cancel("ann", ids[0])
    assert [await position(ledger, job_id) for job_id in ids] == [None, 0, 1]


async def test_a_submission_tells_its_position(ledger: Ledger) -> None:
    await submitted(ledger)
    outlook = (await ledger.submit(submission())).outlook
    assert outlook is not None
    assert outlook.position == 1


async def test_the_same_key_and_body_replay_the_first_job(ledger: Ledger) -> None:
    first = await ledger.submit(submission(key="k"))
    again = await ledger.submit(submission(key="k"))
    assert again.replayed
    assert again.job == first.job
    assert await ledger.waiting() == {"tiny": 1}


async def test_a_key_replays_a_job_that_has_ended(ledger: Ledger) -> None:
    first = await submitted(ledger, key="k")
    await ledger.cancel("ann", first)
    again = await ledger.submit(submission(key="k"))
    assert (again.job.id, again.job.state, again.replayed) == (first, JobState.CANCELED, True)


async def test_a_key_is_answered_before_there_is_anything_to_submit(ledger: Ledger) -> None:
    assert await ledger.replay("ann", "k", "body") is None
    first = await ledger.submit(submission(key="k"))
    again = await ledger.replay("ann", "k", "body")
    assert again == await ledger.submit(submission(key="k"))
    assert again is not None
    assert (again.job, again.replayed) == (first.job, True)
    assert await ledger.replay("bob", "k", "body") is None
    with pytest.raises(IdempotencyMismatch):
        await ledger.replay("ann", "k", "other")


async def test_the_same_key_with_another_body_is_refused(ledger: Ledger) -> None:
    await submitted(ledger, key="k", body="one")
    with pytest.raises(IdempotencyMismatch):
        await ledger.submit(submission(key="k", body="two"))
    assert await ledger.waiting() == {"tiny": 1}


async def test_tenants_do_not_share_keys(ledger: Ledger) -> None:
    await submitted(ledger, "ann", key="b:c")
    other = await ledger.submit(submission("ann:b", key="c", body="other"))
    third = await ledger.submit(submission("bob", key="b:c", body="third"))
    assert not other.replayed
    assert not third.replayed


async def test_submitting_one_job_twice_makes_one_job(ledger: Ledger) -> None:
    once = submission()
    await ledger.submit(once)
    assert (await ledger.submit(once)).replayed
    assert await ledger.waiting() == {"tiny": 1}
    assert [event.name for event in await ledger.events(once.job_id)] == ["queued"]


async def test_a_key_whose_job_is_forgotten_makes_a_new_job(ledger: Ledger, clock: StillClock) -> None:
    await ledger.cancel("ann", await submitted(ledger, key="k"))
    await clock.advance(61)
    await ledger.reap()
    assert not (await ledger.submit(submission(key="k", body="other"))).replayed


async def test_a_tenant_at_its_limit_is_refused_and_others_are_not(ledger: Ledger) -> None:
    ids = [await submitted(ledger) for _ in range(6)]
    with pytest.raises(TenantLimit) as refused:
        await submitted(ledger)
    assert (refused.value.status, refused.value.retry_after > 0) == (429, True)
    await submitted(ledger, "bob")
    await ledger.cancel("ann", ids[3])
    await submitted(ledger)


async def test_a_full_service_refuses_everybody(ledger: Ledger) -> None:
    for number in range(8):
        await submitted(ledger, f"tenant-{number}", model="tiny" if number % 2 else "other")
    with pytest.raises(QueueFull) as refused:
        await submitted(ledger, "ann")
    assert refused.value.status == 503
    await claimed(ledger)
    await submitted(ledger, "ann")


async def test_a_refused_submission_leaves_nothing_behind(ledger: Ledger) -> None:
    for _ in range(6):
        await submitted(ledger)
    refused = submission(key="k")
    with pytest.raises(TenantLimit):
        await ledger.submit(refused)
    with pytest.raises(NotFound):
        await ledger.get("ann", refused.job_id)
    assert await ledger.events(refused.job_id) == []
    await claimed(ledger)
    assert not (await ledger.submit(submission(key="k", body="other"))).replayed


async def test_another_tenants_job_is_not_found(ledger: Ledger) -> None:
    job_id = await submitted(ledger, "ann")
    with pytest.raises(NotFound):
        await ledger.get("bob", job_id)
    with pytest.raises(NotFound):
        await ledger.cancel("bob", job_id)
    assert (await ledger.get("ann", job_id)).state is JobState.QUEUED


async def test_jobs_are_listed_newest_first_page_by_page(ledger: Ledger) -> None:
    ids = sorted([await submitted(ledger) for _ in range(5)], reverse=True)
    await submitted(ledger, "bob")
    pages, cursor = [], None
    while True:
        page = await ledger.jobs("ann", limit=2, cursor=cursor)
        pages.append([job.id for job in page.jobs])
        if not (cursor := page.cursor):
            break
    assert pages == [ids[:2], ids[2:4], ids[4:]]


async def test_a_page_that_ends_the_list_has_no_cursor(ledger: Ledger) -> None:
    await submitted(ledger)
    assert (await ledger.jobs("ann", limit=1)).cursor is None
    assert (await ledger.jobs("nobody", limit=5)).jobs == ()


@pytest.mark.parametrize("cursor", ["", "x", "+", "(", "01M85F30BK9Y3FQXSRPJ2E8GZ", "ü" * 26])
async def test_a_cursor_that_is_not_ours_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(InvalidField):
        await ledger.jobs("ann", limit=5, cursor=cursor)


async def test_the_plan_keeps_every_character(ledger: Ledger) -> None:
    text = "'); redis.call('FLUSHALL') -- {}[]\\\"\t\r\n\u0301🎞"
    job_id = await submitted(ledger, prompt=text)
    assert (await claimed(ledger)).plan == plan(prompt=text)
    assert (await ledger.get("ann", job_id)).plan.prompt == text
