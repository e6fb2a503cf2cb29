"""Claimed requests for control maps: made beside the engine, kept for their tenant, and no trouble for others."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from ulid import ULID

from darkroom.contract.job import Job, JobState
from darkroom.contract.preprocess import PREPROCESSING, PreprocessAsked, PreprocessPlan
from darkroom.contract.start import PictureRef
from darkroom.inputs.maps import map_name, recall
from darkroom.inputs.normal import normalise, stored
from darkroom.inputs.shelf import fetch, input_key, keep
from darkroom.ledger.protocol import Submission
from darkroom.planner import plan_preprocess
from tests.fakes import fake_catalog
from tests.unit.inputs.files import saved
from tests.unit.preprocessors.pictures import house
from tests.unit.worker.shop import Shop
from worker.preprocessors.canny import canny

LOST = PictureRef(sha256="ab" * 32, width=128, height=128)


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
    asked = PreprocessAsked(type="canny", image=image.sha256)
    plan = plan_preprocess(asked, image, map_name(image, digest, asked.detect_resolution), fake_catalog())
    return plan.model_copy(update=changed)


async def ended(shop: Shop, plan: PreprocessPlan) -> Job:
    submission = Submission(job_id=str(ULID()), tenant="ann", plan=plan, idempotency_key=None, body_hash="")
    await shop.ledger.submit(submission)
    return await shop.ended(submission.job_id)


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
