"""Claims, leases, progress and bells."""

import asyncio
from dataclasses import replace

import pytest

from darkroom.contract.job import JobState
from tests.unit.worker.shop import NEVER, QUICK, Shop
from tests.until import until
from worker import tasks
from worker.rhythm import Rhythm


async def test_what_waits_at_start_is_claimed_without_a_bell() -> None:
    shop = Shop(Rhythm(renew=NEVER, reap=NEVER, report=NEVER, look=0, drain=1))
    job_id = await shop.submit()
    running = asyncio.create_task(shop.intake.run())
    await until(lambda: job_id in shop.engine.works)
    shop.engine.finish(job_id)
    await shop.ended(job_id)
    shop.intake.drain()
    await running


async def test_a_bell_wakes_an_idle_worker_and_is_answered_when_all_is_done() -> None:
    shop = Shop(Rhythm(renew=NEVER, reap=NEVER, report=NEVER, look=0, drain=1))
    running = asyncio.create_task(shop.intake.run())
    await asyncio.sleep(0.01)
    job_id = await shop.submit()
    await asyncio.sleep(0.01)
    assert not shop.engine.works, "nobody rang"
    tasks.bind(shop.intake)
    try:
        serving = asyncio.create_task(asyncio.to_thread(tasks.serve, "tiny"))
        await until(lambda: job_id in shop.engine.works)
        assert not serving.done()
        shop.engine.finish(job_id)
        async with asyncio.timeout(5):
            await serving
    finally:
        tasks.bind(None)
    assert (await shop.job(job_id)).state is JobState.SUCCEEDED
    shop.intake.drain()
    await running


async def test_a_bell_that_finds_nothing_is_answered_at_once(shop: Shop) -> None:
    async with asyncio.timeout(5):
        await asyncio.to_thread(shop.intake.serve, "tiny")


async def test_a_bell_before_the_start_and_after_the_end_is_answered_at_once() -> None:
    shop = Shop()
    shop.intake.serve("tiny")
    running = asyncio.create_task(shop.intake.run())
    await asyncio.sleep(0)
    shop.intake.drain()
    await running
    shop.intake.serve("tiny")


def test_a_process_that_is_no_worker_answers_no_bell() -> None:
    tasks.bind(None)
    with pytest.raises(RuntimeError, match="serves no model"):
        tasks.serve("tiny")


async def test_a_lost_bell_does_no_harm(shop: Shop) -> None:
    await asyncio.sleep(0.02)
    await shop.generating()


async def test_it_claims_no_more_than_the_engine_has_room_for(shop: Shop) -> None:
    ids = [await shop.submit() for _ in range(6)]
    await until(lambda: len(shop.engine.works) == 4)
    await asyncio.sleep(0.03)
    assert set(shop.engine.works) == set(ids[:4])
    shop.engine.finish(ids[0])
    await until(lambda: ids[4] in shop.engine.works)
    assert ids[5] not in shop.engine.works


async def test_a_busy_worker_claims_at_a_step_boundary() -> None:
    shop = Shop(Rhythm(renew=NEVER, reap=NEVER, report=NEVER, look=0, drain=0.1))
    first = await shop.submit()
    running = asyncio.create_task(shop.intake.run())
    await until(lambda: first in shop.engine.works)
    second = await shop.submit()
    await asyncio.sleep(0.02)
    assert second not in shop.engine.works
    shop.engine.step(first)
    await until(lambda: second in shop.engine.works)
    shop.intake.drain()
    await running


async def test_leases_are_renewed_while_a_job_is_held(shop: Shop) -> None:
    job_id = await shop.generating()
    record = shop.ledger._records[job_id]
    for _ in range(4):
        shop.clock.now += 10
        await until(lambda: record.lease_until_ms == (shop.clock.now + 15) * 1000)
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)


async def test_the_newest_progress_is_told_but_not_every_step(shop: Shop) -> None:
    job_id = await shop.generating()
    for step in range(1, 19):
        shop.engine.step(job_id, step, 20)
    await until(lambda: shop.ledger._records[job_id].progress is not None)
    job = await shop.job(job_id)
    assert job.progress is not None
    assert (job.progress.step, job.progress.steps) == (18, 20)
    assert (await shop.events(job_id)).count("progress") == 1


async def test_what_all_jobs_have_come_to_is_told_together() -> None:
    shop = Shop(Rhythm(renew=NEVER, reap=NEVER, report=0.01, look=0, drain=0.05))
    ids = [await shop.submit() for _ in range(3)]
    running = asyncio.create_task(shop.intake.run())
    await until(lambda: shop.engine.works.keys() == set(ids))
    before = shop.ledger.reports
    for step, job_id in enumerate(ids, 1):
        shop.engine.step(job_id, step, 20)
    await until(lambda: all(shop.ledger._records[job_id].progress for job_id in ids))
    assert shop.ledger.reports == before + 1
    assert [shop.ledger._records[job_id].progress.step for job_id in ids] == [1, 2, 3]
    shop.intake.drain()
    await running


async def test_progress_that_found_no_ledger_is_told_when_it_is_back(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.ledger.away = True
    shop.engine.step(job_id, 20, 20)  # no other follows
    await asyncio.sleep(0.03)
    assert shop.ledger._records[job_id].progress is None
    shop.ledger.away = False
    await until(lambda: shop.ledger._records[job_id].progress is not None)
    shop.engine.finish(job_id)
    await shop.ended(job_id)
    assert (await shop.events(job_id)).count("progress") == 1


async def test_a_ledger_that_goes_away_and_comes_back_costs_nothing(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.ledger.away = True
    shop.engine.step(job_id)
    shop.engine.finish(job_id)
    await asyncio.sleep(0.05)
    shop.ledger.away = False
    job = await shop.ended(job_id)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
    await shop.generating()


def test_cancellations_are_seen_within_a_second_and_leases_renewed_thrice_a_term() -> None:
    assert Rhythm.of(15.0, 20.0).renew == 1.0
    assert Rhythm.of(0.9, 20.0).renew == pytest.approx(0.3)
    assert QUICK.drain < 1


async def test_a_worker_says_what_it_serves_until_it_drains() -> None:
    shop = Shop(replace(QUICK, drain=30.0))
    running = asyncio.create_task(shop.intake.run())
    job_id = await shop.generating()
    shop.clock.now += 14  # said again and again, or the lease would run out
    await until(lambda: shop.ledger._attending["worker-1"][0] / 1000 == shop.clock.now + 15)
    assert await shop.ledger.serving() == {"tiny": 1}
    shop.intake.drain()
    await until(lambda: not shop.ledger._attending["worker-1"][1])
    assert shop.engine.works, "it still finishes what it holds"
    shop.engine.finish(job_id)
    await running
    assert await shop.ledger.serving() == {}


async def looks_in_vain(shop: Shop, steps: int) -> int:
    """How often a worker that holds one job asks for more while it makes these steps."""
    running = asyncio.create_task(shop.intake.run())
    job_id = await shop.generating()
    await until(lambda: bool(shop.ledger.serving_now()))
    await asyncio.sleep(0.01)
    before = shop.ledger.looks
    for step in range(steps):
        shop.engine.step(job_id, step, 20)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    looked = shop.ledger.looks - before
    shop.intake.drain()
    await running
    return looked


async def test_one_of_a_thousand_workers_does_not_ask_at_every_step() -> None:
    seldom = Rhythm(renew=NEVER, reap=NEVER, report=NEVER, look=0, drain=0.05)
    assert await looks_in_vain(Shop(seldom), 10) > 5
    shop = Shop(seldom)
    for number in range(999):
        await shop.ledger.attend(f"other-{number}", ["tiny"])
    assert await looks_in_vain(shop, 10) <= 1


async def test_a_bell_that_rings_at_a_busy_one_of_a_thousand_is_answered_at_once() -> None:
    """One that took what it found, and not by a bell: RQ thinks that it idles, and its bell is nobody else's."""
    shop = Shop(Rhythm(renew=NEVER, reap=NEVER, report=NEVER, look=0, drain=0.05))
    for number in range(999):
        await shop.ledger.attend(f"other-{number}", ["tiny"])
    first = await shop.submit()
    running = asyncio.create_task(shop.intake.run())
    await until(lambda: first in shop.engine.works)
    await until(lambda: bool(shop.ledger.serving_now()))
    shop.engine.step(first)  # in vain
    await asyncio.sleep(0.02)
    second = await shop.submit()
    shop.engine.step(first)
    await asyncio.sleep(0.02)
    assert second not in shop.engine.works
    serving = asyncio.create_task(asyncio.to_thread(shop.intake.serve, "tiny"))
    await until(lambda: second in shop.engine.works)
    shop.intake.drain()
    await running
    await serving


async def test_one_of_a_thousand_looks_at_once_when_a_job_has_left() -> None:
    shop = Shop(Rhythm(renew=NEVER, reap=NEVER, report=NEVER, look=0, drain=0.05))
    for number in range(999):
        await shop.ledger.attend(f"other-{number}", ["tiny"])
    first, second = await shop.submit(), await shop.submit()
    running = asyncio.create_task(shop.intake.run())
    await until(lambda: {first, second} <= shop.engine.works.keys())
    shop.engine.step(first)
    await asyncio.sleep(0.02)
    third = await shop.submit()
    shop.engine.step(first)
    await asyncio.sleep(0.02)
    assert third not in shop.engine.works
    shop.engine.finish(first)
    await until(lambda: third in shop.engine.works)
    shop.intake.drain()
    await running
