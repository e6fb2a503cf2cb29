"""How a worker that was told to stop lets go of its jobs."""

import asyncio
import time

import pytest

from darkroom.contract.job import JobState
from tests.unit.worker.shop import NEVER, Shop
from tests.until import until
from worker.rhythm import Rhythm


def shop_that_drains_in(seconds: float) -> Shop:
    return Shop(Rhythm(renew=0.005, reap=0.005, report=NEVER, look=0, drain=seconds))


async def test_what_fits_is_finished() -> None:
    shop = shop_that_drains_in(30)
    running = asyncio.create_task(shop.intake.run())
    job_id = await shop.generating(predicted_seconds=1.0)
    shop.intake.drain()
    await asyncio.sleep(0.02)
    assert not running.done()
    shop.engine.finish(job_id)
    await running
    assert (await shop.job(job_id)).state is JobState.SUCCEEDED


async def test_what_cannot_fit_goes_back_at_once_and_the_attempt_does_not_count() -> None:
    shop = shop_that_drains_in(30)
    running = asyncio.create_task(shop.intake.run())
    job_id = await shop.generating(predicted_seconds=500.0)
    began = time.monotonic()
    shop.intake.drain()
    await running
    assert time.monotonic() - began < 5
    job = await shop.job(job_id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert shop.engine.canceled == [job_id]


async def test_a_job_is_judged_by_its_own_pace_once_it_has_one() -> None:
    shop = shop_that_drains_in(6.0)
    running = asyncio.create_task(shop.intake.run())
    slow = await shop.generating(predicted_seconds=0.001)
    await asyncio.sleep(0.1)
    shop.engine.step(slow, 1, 100)  # a tenth of a second a step: ten seconds in all
    await asyncio.sleep(0.01)
    began = time.monotonic()
    shop.intake.drain()
    await running
    assert time.monotonic() - began < 3
    assert (await shop.job(slow)).state is JobState.QUEUED


async def test_what_overruns_goes_back_when_the_time_is_up() -> None:
    shop = shop_that_drains_in(0.2)
    running = asyncio.create_task(shop.intake.run())
    job_id = await shop.generating(predicted_seconds=0.01)
    shop.intake.drain()
    await running
    assert (await shop.job(job_id)).state is JobState.QUEUED


async def test_a_stopping_worker_claims_nothing_more() -> None:
    shop = shop_that_drains_in(30)
    running = asyncio.create_task(shop.intake.run())
    first = await shop.generating()
    shop.intake.drain()
    late = await shop.submit()
    shop.engine.step(first)
    await asyncio.sleep(0.03)
    assert late not in shop.engine.works
    shop.engine.finish(first)
    await running
    assert (await shop.job(late)).state is JobState.QUEUED


async def test_leases_are_renewed_and_cancellations_heard_while_draining() -> None:
    shop = shop_that_drains_in(30)
    running = asyncio.create_task(shop.intake.run())
    kept, unwanted = await shop.generating(), await shop.generating()
    shop.intake.drain()
    await shop.ledger.cancel("ann", unwanted)
    shop.clock.now += 10
    await until(lambda: shop.engine.canceled == [unwanted])
    shop.clock.now += 10
    await asyncio.sleep(0.03)
    shop.engine.finish(kept)
    await running
    job = await shop.job(kept)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)


async def test_an_idle_worker_stops_at_once() -> None:
    shop = shop_that_drains_in(30)
    running = asyncio.create_task(shop.intake.run())
    await asyncio.sleep(0.01)
    began = time.monotonic()
    shop.intake.drain()
    await running
    assert time.monotonic() - began < 5


@pytest.mark.slow
async def test_a_ledger_away_does_not_hold_up_the_end_for_long() -> None:
    shop = shop_that_drains_in(0.1)
    running = asyncio.create_task(shop.intake.run())
    await shop.generating(predicted_seconds=500.0)
    shop.ledger.away = True
    began = time.monotonic()
    shop.intake.drain()
    await running
    assert time.monotonic() - began < 10
