"""Claimed requests for control maps: made beside the engine, kept for their tenant, and no trouble for others."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from ulid import ULID

from darkroom.contract.job import Job, JobState
from darkroom.contract.preprocess import PREPROCESSING, PreprocessAsked, PreprocessPlan
from darkroom.contract.safety import SafetyPolicy
from darkroom.contract.start import PictureRef
from darkroom.inputs.maps import map_name, recall
from darkroom.inputs.normal import Pixels, normalise, stored
from darkroom.inputs.shelf import fetch, input_key, keep
from darkroom.ledger.protocol import Submission
from darkroom.planner import plan_preprocess
from tests.fakes import fake_catalog
from tests.unit.inputs.files import saved
from tests.unit.preprocessors.pictures import house
from tests.unit.worker.shop import Shop
from tests.until import until
from worker import inputs
from worker.hand import MAX_MAPS
from worker.preprocessors.canny import canny
from worker.preprocessors.preprocessing import Preprocessors

LOST = PictureRef(sha256="ab" * 32, width=128, height=128)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Maps are made only once this is set."""
    go_on = threading.Event()

    def waits(self: Preprocessors, kind: str, rgb_HW3: Pixels, resolution: int = 512) -> Pixels:
        go_on.wait(5)
        return rgb_HW3

    monkeypatch.setattr(Preprocessors, "map", waits)
    yield go_on
    go_on.set()


@pytest.fixture
async def mapping() -> AsyncIterator[Shop]:
    shop = Shop(models=("tiny", PREPROCESSING))
    running = asyncio.create_task(shop.intake.run())
    yield shop
    shop.intake.drain()
    await running


async def kept(shop: Shop, picture: Any = None) -> PictureRef:
    return await keep(shop.store, "ann", normalise(saved(house() if picture is None else picture)))


def planned(image: PictureRef, **changed: Any) -> PreprocessPlan:
    digest = fake_catalog().preprocessors.spec("canny", "type").digest
    wish = PreprocessAsked(type="canny", image=image.sha256)
    plan = plan_preprocess(wish, image, map_name(image, digest, wish.detect_resolution), fake_catalog(), SafetyPolicy())
    return plan.model_copy(update=changed)


async def asked(shop: Shop, plan: PreprocessPlan) -> str:
    submission = Submission(job_id=str(ULID()), tenant="ann", plan=plan, idempotency_key=None, body_hash="")
    return (await shop.ledger.submit(submission)).job.id


async def ended(shop: Shop, plan: PreprocessPlan) -> Job:
    return await shop.ended(await asked(shop, plan))


async def test_the_map_is_kept_and_found_again_by_its_name(mapping: Shop) -> None:
    plan = planned(await kept(mapping))
    job = await ended(mapping, plan)
    assert (job.state, job.artifacts, mapping.engine.works) == (JobState.SUCCEEDED, (), {})
    ref = await recall(mapping.store, "ann", plan.map_name)
    assert ref is not None
    assert np.array_equal(stored(await fetch(mapping.store, "ann", ref.sha256)).pixels, canny(house()))


async def test_a_map_is_its_tenants_alone(mapping: Shop) -> None:
    plan = planned(await kept(mapping))
    await ended(mapping, plan)
    assert await recall(mapping.store, "bob", plan.map_name) is None


async def test_a_map_that_was_lost_from_the_store_is_not_found(mapping: Shop) -> None:
    plan = planned(await kept(mapping))
    await ended(mapping, plan)
    ref = await recall(mapping.store, "ann", plan.map_name)
    assert ref is not None
    await mapping.store.delete(input_key("ann", ref.sha256))
    assert await recall(mapping.store, "ann", plan.map_name) is None


async def test_what_is_transparent_has_no_edges(mapping: Shop) -> None:
    picture = np.dstack([house(), np.zeros((128, 128, 1), np.uint8)])
    plan = planned(await kept(mapping, picture))
    await ended(mapping, plan)
    ref = await recall(mapping.store, "ann", plan.map_name)
    assert ref is not None
    assert not stored(await fetch(mapping.store, "ann", ref.sha256)).pixels.any()


async def test_a_picture_that_is_gone_fails_its_job_alone(mapping: Shop) -> None:
    failed = await ended(mapping, planned(LOST))
    assert failed.failure is not None
    assert failed.failure.code == "lost_input"
    assert (await ended(mapping, planned(await kept(mapping)))).state is JobState.SUCCEEDED


async def test_a_worker_with_other_weights_makes_no_map_under_their_name(mapping: Shop) -> None:
    plan = planned(await kept(mapping), preprocessor="of other weights")
    failed = await ended(mapping, plan)
    assert failed.failure is not None
    assert failed.failure.code == "preprocessor_unavailable"
    assert await recall(mapping.store, "ann", plan.map_name) is None


async def test_a_fault_of_ours_still_ends_the_job(mapping: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> None:
        raise KeyError("secret words")

    monkeypatch.setattr("worker.mapping.packed", breaks)
    failed = await ended(mapping, planned(await kept(mapping)))
    assert failed.failure is not None
    assert failed.failure.code == "internal_error"
    assert "secret" not in failed.failure.message


async def test_generations_go_on_beside_maps(mapping: Shop) -> None:
    job_id = await mapping.generating()
    assert (await ended(mapping, planned(await kept(mapping)))).state is JobState.SUCCEEDED
    mapping.engine.finish(job_id)
    assert (await mapping.ended(job_id)).state is JobState.SUCCEEDED


async def test_maps_that_wait_take_no_room_of_generations(mapping: Shop, slow: threading.Event) -> None:
    plan = planned(await kept(mapping))
    maps = [await asked(mapping, plan) for _ in range(6)]
    await until(lambda: len(mapping.hand) == MAX_MAPS)
    generations = [await mapping.generating() for _ in range(4)]
    assert len(mapping.hand) == MAX_MAPS + len(generations), "the rest waits in the ledger, for other workers too"
    slow.set()
    for job_id in maps:
        assert (await mapping.ended(job_id)).state is JobState.SUCCEEDED


async def test_maps_are_made_while_the_engine_is_full(mapping: Shop) -> None:
    for _ in range(4):
        await mapping.generating()
    assert mapping.engine.room() == 0
    assert (await ended(mapping, planned(await kept(mapping)))).state is JobState.SUCCEEDED


async def test_of_pictures_that_wait_for_their_maps_one_is_in_memory(
    mapping: Shop, slow: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(inputs, "stored", lambda png: (decoded.append(png), stored(png))[1])
    ref = await kept(mapping)
    waiting = [asyncio.create_task(mapping.inputs.mapped("ann", ref, lambda _: slow.wait(5))) for _ in range(3)]
    await until(lambda: bool(decoded))
    await asyncio.sleep(0.02)
    assert len(decoded) == 1
    slow.set()
    assert await asyncio.gather(*waiting) == [True] * 3


async def test_a_broken_device_ends_the_worker_and_not_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access")

    monkeypatch.setattr(Preprocessors, "map", breaks)
    shop = Shop(models=("tiny", PREPROCESSING))
    job_id = await asked(shop, planned(await kept(shop)))
    with pytest.raises(ExceptionGroup) as ended_by:
        await asyncio.wait_for(shop.intake.run(), 5)
    assert ended_by.group_contains(torch.AcceleratorError)
    assert (await shop.job(job_id)).state is JobState.RUNNING, "its lease brings it back"
