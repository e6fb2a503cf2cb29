"""Pictures of claimed jobs: read before the engine hears of the job, and trouble with them is the job's alone."""

import asyncio
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from darkroom.contract.job import JobState
from darkroom.contract.start import FromImage, PictureRef
from darkroom.inputs.normal import normalise
from darkroom.inputs.shelf import input_key, keep
from tests.unit.inputs.files import saved, scene
from tests.unit.worker.shop import Shop
from tests.until import until
from worker.pictures.canvas import Drawn

LOST = PictureRef(sha256="ab" * 32, width=128, height=128)


def starting_from(image: PictureRef) -> dict[str, Any]:
    return {"task": "image_to_image", "start": FromImage(image=image, strength=0.5, steps=10)}


async def kept(shop: Shop) -> PictureRef:
    return await keep(shop.store, "ann", normalise(saved(scene(128, 128))))


async def test_the_engine_gets_a_job_with_its_canvas(shop: Shop) -> None:
    job_id = await shop.generating(**starting_from(await kept(shop)))
    canvas = shop.engine.works[job_id].canvas
    assert isinstance(canvas, Drawn)
    assert np.array_equal(canvas.rgb_HW3, scene(128, 128))
    shop.engine.finish(job_id)
    assert (await shop.ended(job_id)).state is JobState.SUCCEEDED


async def test_a_lost_picture_fails_its_job_alone(shop: Shop) -> None:
    lost = await shop.submit(**starting_from(LOST))
    other = await shop.generating()
    failed = await shop.ended(lost)
    assert failed.failure is not None
    assert (failed.state, failed.failure.code) == (JobState.FAILED, "lost_input")
    shop.engine.finish(other)
    assert (await shop.ended(other)).state is JobState.SUCCEEDED


async def test_a_picture_that_changed_in_the_store_counts_as_lost(shop: Shop) -> None:
    ref = await kept(shop)
    await shop.store.put(input_key("ann", ref.sha256), b"something else", media_type="image/png")
    failed = await shop.ended(await shop.submit(**starting_from(ref)))
    assert failed.failure is not None
    assert failed.failure.code == "lost_input"


async def test_a_fault_of_ours_while_preparing_still_ends_the_job(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> None:
        raise IndexError("secret words")

    monkeypatch.setattr("worker.pictures.prepare.drawn", breaks)
    failed = await shop.ended(await shop.submit(**starting_from(await kept(shop))))
    assert failed.failure is not None
    assert failed.failure.code == "internal_error"
    assert "secret" not in failed.failure.message


class Gate:
    """A store whose `get` waits."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = asyncio.Event()
        self.asked = 0
        get = shop.store.get

        async def slow(key: str) -> bytes:
            self.asked += 1
            await self.open.wait()
            return await get(key)

        monkeypatch.setattr(shop.store, "get", slow)


async def test_a_job_whose_pictures_are_being_read_takes_room(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ref, gate = await kept(shop), Gate(shop, monkeypatch)
    ids = [await shop.submit(**starting_from(ref)) for _ in range(6)]
    await until(lambda: gate.asked == 4)
    await asyncio.sleep(0.03)
    assert gate.asked == len(shop.hand) == 4, "the engine has room for four"
    gate.open.set()
    await until(lambda: set(shop.engine.works) == set(ids[:4]))
    for job_id in ids[:4]:
        shop.engine.finish(job_id)
    await until(lambda: set(shop.engine.works) == set(ids[4:]))


async def test_a_job_can_be_canceled_while_its_pictures_are_read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ref, gate = await kept(shop), Gate(shop, monkeypatch)
    job_id = await shop.submit(**starting_from(ref))
    await until(lambda: gate.asked == 1)
    await shop.ledger.cancel("ann", job_id)
    await until(lambda: not len(shop.hand))
    gate.open.set()
    await asyncio.sleep(0.02)
    assert job_id not in shop.engine.works
    assert (await shop.job(job_id)).state is JobState.CANCELED


async def test_a_job_whose_pictures_cannot_be_had_for_now_goes_back_in_line_and_is_made_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker.hand.PUT_OFF_SECONDS", 0.02)
    shop = Shop(patience=0.0)
    running = asyncio.create_task(shop.intake.run())
    image = await kept(shop)
    shop.store.away = True
    with capture_logs() as logs:
        job_id = await shop.submit(**starting_from(image))
        await until(lambda: [line["event"] for line in logs].count("job.put_off") > 1)
    shop.store.away = False
    await until(lambda: job_id in shop.engine.works)
    shop.engine.finish(job_id)
    job = await shop.ended(job_id)
    assert (job.state, job.attempt, job.lost_attempts) == (JobState.SUCCEEDED, 1, ())
    shop.intake.drain()
    await running
