"""Sketches on their way from the engine to those who look."""

import asyncio
import io
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from darkroom.contract.job import JobState, Progress
from darkroom.errors import NotFound
from darkroom.ledger.previews import MOST_PREVIEW_BYTES
from tests.unit.worker.shop import PICTURE, Shop
from tests.until import until
from worker.finish import Picture
from worker.viewer import LONGEST, as_jpeg


def plain(value: int, side: int = 16) -> Picture:
    return np.full((side, side, 3), value, np.uint8)


async def watched(shop: Shop, **changed: Any) -> str:
    return await shop.generating(previews=True, **changed)


async def frame(shop: Shop, job_id: str, index: int = 0) -> Image.Image | None:
    try:
        return Image.open(io.BytesIO(await shop.ledger.preview("ann", job_id, index)))
    except NotFound:
        return None


async def shows(shop: Shop, job_id: str, grey: int, index: int = 0) -> None:
    """Wait until the frame of an image is of this grey."""
    async with asyncio.timeout(5):
        while (seen := await frame(shop, job_id, index)) is None or abs(np.asarray(seen).mean() - grey) > 1:
            await asyncio.sleep(0.001)


async def told(shop: Shop, job_id: str, progress: Progress) -> None:
    """Wait until the ledger knows of this."""
    async with asyncio.timeout(5):
        while (await shop.job(job_id)).progress != progress:
            await asyncio.sleep(0.001)


async def test_a_sketch_is_shown_enlarged_and_progress_tells_of_it(shop: Shop) -> None:
    job_id = await watched(shop, width=512, height=256)
    shop.engine.step(job_id, 3, 20)
    shop.engine.sketch(job_id, 0, np.full((32, 64, 3), 100, np.uint8))
    await shows(shop, job_id, 100)
    shown = await frame(shop, job_id)
    assert shown is not None
    assert (shown.format, shown.size) == ("JPEG", (512, 256))
    await told(shop, job_id, Progress(step=3, steps=20, previews=1))
    shop.engine.sketch(job_id, 0, plain(200))
    await told(shop, job_id, Progress(step=3, steps=20, previews=2))
    shop.engine.step(job_id, 4, 20)
    await told(shop, job_id, Progress(step=4, steps=20, previews=2))
    counts = [event.data.get("previews", 0) for event in await shop.ledger.events(job_id) if event.name == "progress"]
    assert all(early <= late for early, late in pairwise(counts))


@pytest.mark.parametrize(
    ("latents", "final", "shown"),
    [
        ((16, 16), 128, (128, 128)),  # never larger than the picture
        ((128, 128), 1024, (512, 512)),
        ((64, 64), 1024, (512, 512)),  # the first stage of two: as large as the second
        ((96, 32), 768, (171, 512)),
        ((1, 64), 512, (512, 8)),
    ],
)
def test_a_frame_is_as_large_as_one_likes_to_look_at(
    latents: tuple[int, int], final: int, shown: tuple[int, int]
) -> None:
    jpeg = as_jpeg(np.zeros((*latents, 3), np.uint8), min(LONGEST, final))
    assert Image.open(io.BytesIO(jpeg)).size == shown


@pytest.mark.parametrize("side", [64, 512, 700])
def test_the_wildest_frame_is_one_that_a_ledger_takes(side: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    jpeg = as_jpeg(noise, LONGEST)
    assert len(jpeg) <= MOST_PREVIEW_BYTES
    assert Image.open(io.BytesIO(jpeg)).size == (LONGEST, LONGEST)


async def test_of_a_slow_ledger_only_the_latest_sketch_of_an_image_is_waited_for(shop: Shop) -> None:
    job_id = await watched(shop, seeds=(1, 2))
    shop.engine.step(job_id)
    shop.ledger.may_show.clear()
    shop.engine.sketch(job_id, 0, plain(10))
    await until(lambda: bool(shop.ledger.shown))
    for value in range(20, 60):
        for index in (0, 1):
            shop.engine.sketch(job_id, index, plain(value))
    await until(lambda: shop.relay.viewer.waiting == 2)
    shop.ledger.may_show.set()
    await shows(shop, job_id, 59, 0)
    await shows(shop, job_id, 59, 1)
    assert shop.ledger.shown == [(job_id, 0), (job_id, 0), (job_id, 1)]


async def test_a_ledger_that_is_away_has_missed_them(shop: Shop) -> None:
    job_id = await watched(shop)
    shop.engine.step(job_id)
    with capture_logs() as lines:
        shop.ledger.away = True
        shop.engine.sketch(job_id)
        await until(lambda: shop.relay.viewer.idle)
        shop.ledger.away = False
    assert "preview.failed" not in {line["event"] for line in lines}
    shop.engine.sketch(job_id, 0, plain(77))
    await shows(shop, job_id, 77)
    await told(shop, job_id, Progress(step=1, steps=20, previews=1))


async def test_a_sketch_that_cannot_be_shown_costs_a_line_in_the_log_and_nothing_else(shop: Shop) -> None:
    job_id = await watched(shop)
    shop.engine.step(job_id)
    with capture_logs() as lines:
        shop.engine.sketch(job_id, 0, np.zeros((4, 4, 7), np.uint8))
        await until(lambda: shop.relay.viewer.idle and "preview.failed" in {line["event"] for line in lines})
    shop.engine.sketch(job_id, 0, plain(50))
    await shows(shop, job_id, 50)
    shop.engine.finish(job_id)
    assert (await shop.ended(job_id)).state is JobState.SUCCEEDED


async def test_of_a_job_that_is_not_ours_any_more_nothing_is_shown(shop: Shop) -> None:
    shop.engine.obedient = False
    job_id = await watched(shop)
    work = shop.engine.works[job_id]
    await shop.ledger.cancel("ann", job_id)
    await until(lambda: bool(shop.engine.canceled))
    shop.relay.on_preview(work, 0, PICTURE)
    await asyncio.sleep(0.02)
    assert shop.ledger.shown == []
    shop.engine.let_go(job_id)


async def test_a_job_whose_pictures_are_made_shows_no_sketches_any_more(shop: Shop) -> None:
    job_id = await watched(shop, seeds=(1, 2))
    shop.engine.step(job_id)
    shop.ledger.may_show.clear()
    shop.engine.sketch(job_id, 0)
    await until(lambda: bool(shop.ledger.shown))
    shop.engine.sketch(job_id, 1)
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    shop.ledger.may_show.set()
    await until(lambda: shop.relay.viewer.idle)
    assert (job.state, shop.ledger.shown) == (JobState.SUCCEEDED, [(job_id, 0)])
    assert await frame(shop, job_id) is None
