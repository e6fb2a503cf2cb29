"""What becomes of a job in this worker's hand."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from darkroom.contract.job import Job, JobState, Progress
from darkroom.contract.plan import Notice
from darkroom.errors import (
    BrokenWeights,
    NanOutput,
    OutOfMemory,
    SigningUnavailable,
    StaleAttempt,
    TimestampUnavailable,
    UnmarkedOutput,
    UnsignedOutput,
)
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import Outcome
from tests.unit.worker.shop import NEVER, PICTURE, QUICK, Shop
from tests.until import until
from worker.engine.request import Work
from worker.finish import MAX_PENDING_PICTURES


async def test_a_job_ends_with_its_pictures_in_order_and_a_receipt(shop: Shop) -> None:
    job_id = await shop.generating(seeds=(7, 8, 9))
    shop.engine.finish(job_id, device_seconds=2.5)
    job = await shop.ended(job_id)
    assert job.state is JobState.SUCCEEDED
    assert [(a.index, a.seed, a.key) for a in job.artifacts] == [
        (index, 7 + index, f"images/{job_id}/{index}.png") for index in range(3)
    ]
    assert job.receipt is not None
    assert (job.receipt.plan, job.receipt.device, job.receipt.device_seconds) == (job.plan, "cpu", 2.5)
    assert job.receipt.versions == {"torch": "test"}
    assert await shop.store.get(job.artifacts[0].key) == PICTURE.tobytes()


async def test_what_only_the_model_could_tell_is_in_the_receipt(shop: Shop) -> None:
    job_id = await shop.generating()
    notice = Notice(field="prompt", reason="12 tokens were beyond the model's window")
    shop.relay.on_notice(shop.engine.works[job_id], notice)
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert job.receipt is not None
    assert job.receipt.plan.warnings == (notice,)


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (NanOutput("values that are not numbers"), False),
        (OutOfMemory("the device ran out of memory"), True),
        (BrokenWeights("unet/x.safetensors", "is cut short"), False),
    ],
)
async def test_what_the_engine_could_not_do_fails_the_job_with_its_code(
    shop: Shop, error: NanOutput | OutOfMemory | BrokenWeights, retryable: bool
) -> None:
    job_id = await shop.generating()
    shop.engine.fail(job_id, error)
    job = await shop.ended(job_id)
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert (job.failure.code, job.failure.message, job.failure.retryable) == (error.code, error.detail, retryable)


async def test_a_job_that_succeeded_is_seen_to_have_made_all_its_steps() -> None:
    shop = Shop(replace(QUICK, report=NEVER))
    running = asyncio.create_task(shop.intake.run())
    job_id = await shop.generating()
    shop.engine.step(job_id, 20, 20)
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert job.progress == Progress(step=20, steps=20)
    shop.intake.drain()
    await running


async def test_a_failure_lets_go_of_pictures_already_on_their_way(shop: Shop) -> None:
    job_id = await shop.generating(seeds=(1, 2))
    shop.store.away = True
    shop.engine.image(job_id, 0)
    await asyncio.sleep(0.01)
    shop.engine.fail(job_id, NanOutput("the second image"))
    await shop.ended(job_id)
    shop.store.away = False
    await asyncio.sleep(0.3)  # longer than the pause before another try
    assert not await stored(shop, job_id)


@pytest.mark.parametrize("error", [UnmarkedOutput("no mark"), UnsignedOutput("no credential")])
async def test_a_picture_that_does_not_read_back_is_never_stored_and_fails_its_job(
    shop: Shop, error: UnmarkedOutput | UnsignedOutput
) -> None:
    job_id = await shop.generating()
    shop.stamper.trouble = error
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == error.code
    assert not await stored(shop, job_id)


async def test_a_fault_of_ours_still_ends_the_job_and_tells_nothing_of_the_inside(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.stamper.trouble = KeyError("a secret thing")
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert job.failure is not None
    assert job.failure.code == "internal_error"
    assert "secret" not in job.failure.message


async def test_a_store_away_for_a_moment_costs_nothing(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.store.away = True
    shop.engine.finish(job_id)
    await asyncio.sleep(0.05)
    assert (await shop.job(job_id)).state is JobState.RUNNING
    shop.store.away = False
    assert (await shop.ended(job_id)).state is JobState.SUCCEEDED


async def test_a_store_away_for_too_long_fails_the_job_so_that_it_may_be_asked_again() -> None:
    shop = Shop(patience=0.2)
    running = asyncio.create_task(shop.intake.run())
    job_id = await shop.generating()
    shop.store.away = True
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert job.failure is not None
    assert (job.failure.code, job.failure.retryable) == ("store_unavailable", True)
    shop.intake.drain()
    await running


async def test_whoever_signs_may_be_away_for_a_moment(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.stamper.trouble = SigningUnavailable("away")
    shop.engine.finish(job_id)
    await asyncio.sleep(0.05)
    assert (await shop.job(job_id)).state is JobState.RUNNING
    shop.stamper.trouble = None
    assert (await shop.ended(job_id)).state is JobState.SUCCEEDED


@pytest.mark.parametrize("error", [SigningUnavailable("away"), TimestampUnavailable("away")])
async def test_whoever_signs_away_for_too_long_fails_the_job_so_that_it_may_be_asked_again(
    error: SigningUnavailable,
) -> None:
    shop = Shop(patience=0.2)
    running = asyncio.create_task(shop.intake.run())
    shop.stamper.trouble = error
    job_id = await shop.generating()
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert job.failure is not None
    assert (job.failure.code, job.failure.retryable) == (error.code, True)
    assert not await stored(shop, job_id)
    shop.intake.drain()
    await running


async def test_nothing_is_claimed_while_finished_pictures_pile_up() -> None:
    shop = Shop(size=100)
    running = asyncio.create_task(shop.intake.run())
    shop.store.away = True
    for _ in range(MAX_PENDING_PICTURES // 16):
        shop.engine.finish(await shop.generating(seeds=tuple(range(16))))
    await until(lambda: shop.hand.room() == 0)
    late = await shop.submit()
    await asyncio.sleep(0.05)
    assert late not in shop.engine.works
    shop.store.away = False
    await until(lambda: late in shop.engine.works)
    shop.intake.drain()
    await running


async def test_a_canceled_job_leaves_the_engine_and_stays_canceled(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.engine.step(job_id)
    await shop.ledger.cancel("ann", job_id)
    await until(lambda: shop.engine.canceled == [job_id])
    job = await shop.ended(job_id)
    assert (job.state, job.artifacts) == (JobState.CANCELED, ())
    assert not await stored(shop, job_id)


async def test_news_of_a_canceled_job_change_nothing(shop: Shop) -> None:
    shop.engine.obedient = False
    job_id = await shop.generating()
    await shop.ledger.cancel("ann", job_id)
    await until(lambda: shop.engine.canceled == [job_id])
    shop.engine.step(job_id)
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert (job.state, job.artifacts) == (JobState.CANCELED, ())
    assert not await stored(shop, job_id)


async def test_a_job_lost_to_another_worker_is_dropped_and_only_the_other_counts(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.ledger.away = True  # for this worker, which sleeps through its lease
    shop.clock.now += 16
    await MemoryLedger.reap(shop.ledger)
    (heir,) = await MemoryLedger.claim(shop.ledger, "worker-2", ["tiny"], 1)
    shop.ledger.away = False
    await until(lambda: shop.engine.canceled == [job_id])
    await until(lambda: not len(shop.hand))
    done = await shop.ledger.finish(heir.job_id, heir.attempt, Outcome(state=JobState.SUCCEEDED))
    assert (done.state, done.attempt) == (JobState.SUCCEEDED, 2)


async def test_a_late_result_is_refused_and_forgotten() -> None:
    shop = Shop()
    job_id = await shop.submit()
    (claim,) = await shop.ledger.claim("worker-1", ["tiny"], 1)
    await shop.hand.take(claim)
    shop.clock.now += 16
    await shop.ledger.reap()
    (heir,) = await shop.ledger.claim("worker-2", ["tiny"], 1)
    shop.engine.finish(job_id)
    await until(lambda: not len(shop.hand))
    assert (await shop.job(job_id)).state is JobState.RUNNING
    with pytest.raises(StaleAttempt):
        await shop.ledger.finish(job_id, claim.attempt, Outcome(state=JobState.SUCCEEDED))
    assert (await shop.ledger.finish(job_id, heir.attempt, Outcome(state=JobState.SUCCEEDED))).attempt == 2


async def test_a_job_that_came_back_waits_until_its_earlier_attempt_has_left_the_engine() -> None:
    shop = Shop()
    shop.engine.obedient = False
    job_id = await shop.submit()
    (claim,) = await shop.ledger.claim("worker-1", ["tiny"], 1)
    await shop.hand.take(claim)
    shop.hand.drop(job_id, "lease lost")
    shop.clock.now += 16
    await shop.ledger.reap()
    (again,) = await shop.ledger.claim("worker-1", ["tiny"], 1)
    await shop.hand.take(again)
    assert shop.engine.works[job_id].attempt == claim.attempt
    assert shop.hand.attempts() == {}, "its lease is not ours to renew"
    assert (await shop.job(job_id)).state is JobState.QUEUED
    shop.engine.let_go(job_id)
    await until(lambda: not len(shop.hand))
    (third,) = await shop.ledger.claim("worker-1", ["tiny"], 1)
    await shop.hand.take(third)
    assert shop.engine.works[job_id].attempt == third.attempt


async def test_news_of_an_earlier_attempt_are_not_taken_for_this_one(shop: Shop) -> None:
    job_id = await shop.generating()
    now = shop.engine.works[job_id]
    old = Work(job_id, now.attempt - 1, now.plan)
    shop.relay.on_step(old, 19, 20)
    shop.relay.on_image(old, 0, PICTURE)
    shop.relay.on_finished(old, 1.0)
    await asyncio.sleep(0.02)
    job = await shop.job(job_id)
    assert (job.state, job.progress) == (JobState.RUNNING, None)
    assert not await stored(shop, job_id)


async def test_a_job_whose_end_is_being_written_is_not_dropped_for_it(shop: Shop) -> None:
    """Its record says succeeded before we read the reply, and a renewal in between finds it running no more."""
    reply = asyncio.Event()
    finish = shop.ledger.finish

    async def finish_with_slow_reply(job_id: str, attempt: int, outcome: Outcome) -> Job:
        job = await finish(job_id, attempt, outcome)
        await reply.wait()
        return job

    shop.ledger.finish = finish_with_slow_reply  # type: ignore[method-assign]
    with capture_logs() as lines:
        job_id = await shop.generating()
        shop.engine.finish(job_id)
        while not (await shop.job(job_id)).state.terminal:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.03)
        reply.set()
        await shop.ended(job_id)
    assert [line["event"] for line in lines] == ["job.claimed", "job.ended"]


async def stored(shop: Shop, job_id: str) -> bool:
    return not await shop.store.put(f"images/{job_id}/0.png", b"", media_type="image/png", if_absent=True)
