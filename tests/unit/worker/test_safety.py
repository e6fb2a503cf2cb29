"""Pictures are looked at before they are stored, and what they are made of before anything is made of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from darkroom.contract.job import JobState
from darkroom.contract.preprocess import PREPROCESSING
from darkroom.contract.safety import PlannedSafety, Policy, SafetyPolicy
from darkroom.contract.start import Box, FromMask
from darkroom.inputs.maps import recall
from darkroom.inputs.normal import normalise
from darkroom.inputs.shelf import keep
from tests.checkers import CLEAN, SEXUAL, Scripted, screen
from tests.unit.inputs.files import saved, scene
from tests.unit.worker.shop import Shop
from tests.unit.worker.test_inputs import kept, starting_from
from tests.unit.worker.test_mapping import asked, planned
from tests.until import until
from worker.delivery import Delivery
from worker.finish import MAX_PENDING_PICTURES
from worker.screening import Screening
from worker.spool import Spool


@asynccontextmanager
async def working(checker: Scripted | None) -> AsyncIterator[Shop]:
    shop = Shop(checker=checker, models=("tiny", PREPROCESSING))
    running = asyncio.create_task(shop.intake.run())
    try:
        yield shop
    finally:
        shop.ledger.away = shop.store.away = False
        shop.intake.drain()
        await running


def under(policy: Policy, stage: str = "output") -> dict[str, Any]:
    return {"safety": PlannedSafety(**{stage: policy})}


def in_turn(*scores: Any) -> Callable[[Any], Any]:
    """What is found in the first, the second, and so on; the last in all that follow."""
    left: Iterator[Any] = chain(scores, repeat(scores[-1]))
    return lambda seen: next(left)


async def pictures(shop: Shop) -> list[str]:
    return await shop.store.keys("images")


async def test_one_flagged_picture_withholds_all_of_its_job() -> None:
    async with working(Scripted(in_turn(CLEAN, SEXUAL, CLEAN))) as shop:
        job_id = await shop.generating(seeds=(7, 8, 9), **under("block"))
        shop.engine.finish(job_id, device_seconds=2.5)
        job = await shop.ended(job_id)
        assert (job.state, job.artifacts) == (JobState.BLOCKED, ())
        assert job.failure is not None
        assert (job.failure.code, job.failure.retryable) == ("blocked", False)
        assert job.failure.message == "image 1 was flagged: sexual 0.93 (threshold 0.80)"
        assert job.receipt is not None
        assert [each.subject for each in job.receipt.safety] == ["images.0", "images.1", "images.2"]
        assert [each.action for each in job.receipt.safety] == ["passed", "blocked", "passed"]
        assert job.receipt.device_seconds == 2.5
        assert (await pictures(shop), shop.stamper.stamps) == ([], 0)


async def test_nothing_of_a_job_is_stored_before_all_of_it_was_looked_at() -> None:
    async with working(Scripted(CLEAN)) as shop:
        job_id = await shop.generating(seeds=(7, 8), **under("block"))
        shop.engine.image(job_id, 0)
        await until(lambda: shop.finisher._in_memory == 1)
        await asyncio.sleep(0.05)
        assert await pictures(shop) == []
        work = shop.engine.works.pop(job_id)
        shop.relay.on_image(work, 1, np.zeros((8, 8, 3), np.uint8))
        shop.relay.on_finished(work, 1.0)
        job = await shop.ended(job_id)
        assert (job.state, len(await pictures(shop))) == (JobState.SUCCEEDED, 2)
        assert [artifact.safety.action for artifact in job.artifacts if artifact.safety] == ["passed", "passed"]


async def test_pictures_that_wait_for_each_other_count_as_held() -> None:
    async with working(Scripted(CLEAN)) as shop:
        job_id = await shop.generating(seeds=tuple(range(MAX_PENDING_PICTURES + 1)), **under("block"))
        for index in range(MAX_PENDING_PICTURES):
            shop.engine.image(job_id, index)
        await until(lambda: shop.finisher.crowded)
        assert shop.hand.room() == 0
        shop.hand.drop(job_id, "canceled")
        await until(lambda: not shop.finisher.crowded)


@pytest.mark.parametrize(("scores", "action"), [(CLEAN, "passed"), (SEXUAL, "annotated")])
async def test_under_annotate_pictures_go_out_with_what_was_found(scores: Any, action: str) -> None:
    async with working(Scripted(scores)) as shop:
        job_id = await shop.generating(**under("annotate"))
        shop.engine.finish(job_id)
        job = await shop.ended(job_id)
        (artifact,) = job.artifacts
        assert artifact.safety is not None
        assert (artifact.safety.action, artifact.safety.categories) == (action, scores)
        assert job.receipt is not None
        assert job.receipt.safety == (artifact.safety,)
        assert job.receipt.plan.warnings == ()


async def test_nobody_looks_where_the_policy_is_off() -> None:
    checker = Scripted(SEXUAL)
    async with working(checker) as shop:
        job_id = await shop.generating()
        shop.engine.finish(job_id)
        assert (await shop.ended(job_id)).artifacts[0].safety is None
    assert checker.seen == []


@pytest.mark.parametrize("missing", [True, False])
async def test_a_broken_checker_fails_the_job_under_block_and_stores_nothing(missing: bool) -> None:
    checker = Scripted(CLEAN)
    checker.broken = True
    async with working(None if missing else checker) as shop:
        job_id = await shop.generating(seeds=(7, 8), **under("block"))
        shop.engine.finish(job_id)
        job = await shop.ended(job_id)
        assert job.failure is not None
        assert (job.state, job.failure.code, job.failure.retryable) == (JobState.FAILED, "safety_unavailable", True)
        assert await pictures(shop) == []


async def test_a_broken_checker_is_remarked_under_annotate() -> None:
    checker = Scripted(in_turn(CLEAN))
    checker.broken = True
    async with working(checker) as shop:
        job_id = await shop.generating(**under("annotate"))
        shop.engine.finish(job_id)
        job = await shop.ended(job_id)
        assert (job.state, job.artifacts[0].safety) == (JobState.SUCCEEDED, None)
        assert job.receipt is not None
        assert [notice.field for notice in job.receipt.plan.warnings] == ["safety.output"]


async def test_what_is_blocked_while_the_store_is_away_reaches_no_disk_either(tmp_path: Path) -> None:
    async with working(Scripted(in_turn(CLEAN, SEXUAL))) as shop:
        spool = Spool(tmp_path, 10**9)
        shop.finisher.delivery = Delivery(spool, shop.stamper, shop.store, shop.ledger)
        shop.store.away = True
        job_id = await shop.generating(seeds=(7, 8), **under("block"))
        shop.engine.finish(job_id)
        assert (await shop.ended(job_id)).state is JobState.BLOCKED
        assert len(spool) == 0
        assert list(tmp_path.rglob("*.picture")) == []
        spool.close()


async def test_an_attempt_that_dies_between_verdict_and_last_word_leaves_nothing() -> None:
    """Its pictures are looked at again by the next attempt, which comes to the same end."""
    async with working(Scripted(SEXUAL)) as shop:
        job_id = await shop.generating(**under("block"))
        finish = shop.ledger.finish
        refused = asyncio.Event()

        async def dies(*_: Any) -> Any:
            refused.set()
            await asyncio.Event().wait()

        shop.ledger.finish = dies  # type: ignore[method-assign]
        shop.engine.finish(job_id)
        await refused.wait()
        assert await pictures(shop) == []
        (held,) = shop.hand
        assert held.ending is not None
        held.ending.cancel()
        await until(lambda: not len(shop.hand))
        shop.ledger.finish = finish  # type: ignore[method-assign]
        await shop.ledger.abandon("worker-1", "child died")
        await until(lambda: job_id in shop.engine.works)
        shop.engine.finish(job_id)
        job = await shop.ended(job_id)
        assert (job.state, job.attempt, await pictures(shop)) == (JobState.BLOCKED, 2, [])
        assert [keys for _, keys in await shop.ledger.leftovers()] == [(f"images/{job_id}/0.png",)]


async def test_this_workers_own_policy_holds_for_jobs_of_before_it_did() -> None:
    async with working(None) as shop:
        checks = screen(Scripted(SEXUAL))
        shop.finisher.screening = Screening(checks, lambda tenant: SafetyPolicy(output="block"))
        job_id = await shop.generating(previews=True, **under("annotate"))
        assert not shop.engine.works[job_id].plan.previews
        shop.engine.finish(job_id)
        assert (await shop.ended(job_id)).state is JobState.BLOCKED


async def test_a_flagged_input_ends_its_job_before_the_engine_hears_of_it() -> None:
    checker = Scripted(SEXUAL)
    async with working(checker) as shop:
        job = await shop.ended(await shop.submit(**starting_from(await kept(shop)), **under("block", "input")))
        assert job.failure is not None
        assert (job.state, job.failure.code) == (JobState.BLOCKED, "blocked")
        assert job.failure.message == "image was flagged: sexual 0.93 (threshold 0.80)"
        assert job.receipt is not None
        assert [(each.stage, each.subject) for each in job.receipt.safety] == [("input", "image")]
        assert shop.engine.works == {}
    assert np.array_equal(checker.seen[0], scene(128, 128))


async def test_a_broken_checker_fails_what_begins_with_a_picture() -> None:
    checker = Scripted(CLEAN)
    checker.broken = True
    async with working(checker) as shop:
        job = await shop.ended(await shop.submit(**starting_from(await kept(shop)), **under("block", "input")))
        assert job.failure is not None
        assert (job.state, job.failure.code) == (JobState.FAILED, "safety_unavailable")


@pytest.mark.parametrize("broken", [True, False])
async def test_what_was_found_in_an_input_is_in_the_receipt_under_annotate(broken: bool) -> None:
    checker = Scripted(SEXUAL)
    checker.broken = broken
    async with working(checker) as shop:
        job_id = await shop.generating(**starting_from(await kept(shop)), **under("annotate", "input"))
        shop.engine.finish(job_id)
        job = await shop.ended(job_id)
        assert job.receipt is not None
        assert [each.action for each in job.receipt.safety] == ([] if broken else ["annotated"])
        assert [each.field for each in job.receipt.plan.warnings] == (["safety.input"] if broken else [])


async def test_what_is_behind_transparent_parts_is_seen_as_the_engine_sees_it() -> None:
    checker = Scripted(CLEAN)
    async with working(checker) as shop:
        hidden = np.dstack([scene(64, 64), np.zeros((64, 64, 1), np.uint8)])
        ref = await keep(shop.store, "ann", normalise(saved(hidden)))
        await shop.generating(**starting_from(ref), **under("block", "input"))
    assert (checker.seen[0] == 255).all()


async def test_no_map_is_made_of_a_flagged_picture() -> None:
    async with working(Scripted(SEXUAL)) as shop:
        wanted = planned(await kept(shop), **under("block", "input"))
        job = await shop.ended(await asked(shop, wanted))
        assert (job.state, job.receipt) == (JobState.BLOCKED, None)
        assert await recall(shop.store, "ann", wanted.map_name) is None


async def test_nothing_that_was_looked_at_is_in_the_log() -> None:
    with capture_logs() as logs:
        async with working(Scripted(SEXUAL)) as shop:
            job_id = await shop.generating(prompt="secret words", **under("block"))
            shop.engine.finish(job_id)
            await shop.ended(job_id)
    (ended,) = [each for each in logs if each["event"] == "job.ended"]
    assert (ended["state"], ended["code"]) == ("blocked", "blocked")
    assert "secret" not in str(logs)


async def test_device_time_of_what_was_blocked_is_no_tenants() -> None:
    async with working(Scripted(SEXUAL)) as shop:
        job_id = await shop.generating(**under("block"))
        shop.engine.finish(job_id, device_seconds=2.5)
        await shop.ended(job_id)
        shown = shop.metrics.render().decode()
    assert 'darkroom_blocked_device_seconds_total{model="tiny"} 2.5' in shown
    assert "darkroom_device_seconds_total{" not in shown


async def test_what_is_made_in_a_small_part_of_a_large_picture_is_looked_at_by_itself() -> None:
    """Made small, as checkers see it, the whole would show a few pixels of it."""
    small = Box(left=96, top=80, width=16, height=32)
    checker = Scripted(lambda seen: SEXUAL if seen.shape == (32, 16, 3) else CLEAN)
    async with working(checker) as shop:
        image = await kept(shop)
        mask = await keep(shop.store, "ann", normalise(saved(np.full((128, 128), 255, np.uint8))))
        start = FromMask(
            image=image, mask=mask, strength=0.5, steps=10, masked_content="original", feather=0, seen=small
        )
        begun = await shop.ended(await shop.submit(task="inpaint", start=start, **under("block", "input")))
        assert begun.state is JobState.BLOCKED
        assert np.array_equal(checker.seen[-1], scene(128, 128)[80:112, 96:112])
        made = await shop.generating(task="inpaint", start=start, **under("block"))
        shop.engine.finish(made)
        assert (await shop.ended(made)).state is JobState.BLOCKED
        assert [seen.shape for seen in checker.seen[-2:]] == [(128, 128, 3), (32, 16, 3)]
        assert await pictures(shop) == []
