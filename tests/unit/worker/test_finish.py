"""Pictures through the real stamper, into a store."""

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from darkroom.errors import StoreUnavailable, UnmarkedOutput
from darkroom.ledger.protocol import Claim
from darkroom.metrics import Metrics
from darkroom.provenance import Facts, Stamped
from darkroom.provenance.stamper import ENOUGH_QUALITY
from darkroom.services import WorkerServices
from tests.fakes import fake_verifier, fake_worker_services
from tests.integration.ledger.making import plan
from tests.unit.worker.shop import FlakyStore, Picture, PlainStamper
from tests.until import until
from worker.finish import Finisher


@pytest.fixture(scope="module")
def services() -> WorkerServices:
    return fake_worker_services()


@pytest.fixture
def finisher(services: WorkerServices) -> Finisher:
    return Finisher(services.stamper, services.store, "cpu", {"torch": "test"})


def picture(seed: int = 0) -> Picture:
    """Smooth colours with some grain: 128 x 128."""
    rng = np.random.default_rng(seed)
    rise = np.linspace(40, 200, 128)
    colours = np.stack([rise[None, :] + 0 * rise[:, None], rise[:, None] + 0 * rise[None, :], np.full((128, 128), 90)])
    return np.clip(colours.transpose(1, 2, 0) + rng.normal(0, 6, (128, 128, 3)), 0, 255).astype(np.uint8)


def claim(job_id: str, attempt: int = 1, **changed: Any) -> Claim:
    settled = plan(**changed)
    return Claim(job_id=job_id, tenant="ann", attempt=attempt, plan=settled, lease_until=0.0, waited=0.0)


@pytest.mark.parametrize(("output_format", "extension"), [("png", "png"), ("jpeg", "jpeg"), ("webp", "webp")])
async def test_an_artifact_tells_the_truth_about_its_bytes_and_verifies(
    services: WorkerServices, finisher: Finisher, output_format: str, extension: str
) -> None:
    artifact = await finisher.picture(claim(f"one-{extension}", output_format=output_format), 0, picture())
    data = await services.store.get(artifact.key)
    assert artifact.key == f"images/one-{extension}/0.{extension}"
    assert artifact.media_type == f"image/{output_format}"
    assert (artifact.bytes, artifact.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (artifact.width, artifact.height, artifact.seed) == (128, 128, 7)
    verdict = await fake_verifier(services.store).verify(data)
    assert verdict.state == "intact"
    assert (verdict.watermark_id, verdict.manifest_id) == (artifact.watermark_id, artifact.manifest_id)


async def test_a_second_attempt_adopts_the_picture_that_the_first_stored(
    services: WorkerServices, finisher: Finisher
) -> None:
    first = await finisher.picture(claim("twice"), 0, picture())
    data = await services.store.get(first.key)
    second = await finisher.picture(claim("twice", attempt=2), 0, picture())
    assert second == first
    assert await services.store.get(first.key) == data


async def test_a_strangers_bytes_under_our_key_are_never_taken_for_ours(
    services: WorkerServices, finisher: Finisher
) -> None:
    other = await finisher.picture(claim("other"), 0, picture(1))
    await services.store.put("images/mine/0.png", await services.store.get(other.key), media_type="image/png")
    with pytest.raises(UnmarkedOutput):
        await finisher.picture(claim("mine"), 0, picture())


async def test_a_store_that_stays_away_is_given_up() -> None:
    store = FlakyStore()
    store.away = True
    with pytest.raises(StoreUnavailable):
        await Finisher(PlainStamper(), store, "cpu", {}, patience=0.1).picture(claim("away"), 0, picture())


async def test_a_picture_is_stamped_once_however_often_the_store_is_asked() -> None:
    stamper, store = PlainStamper(), FlakyStore()
    store.away = True
    finisher = Finisher(stamper, store, "cpu", {}, patience=30)
    stored = asyncio.create_task(finisher.picture(claim("late"), 0, picture()))
    await until(lambda: store.refused >= 2)
    store.away = False
    artifact = await stored
    assert (stamper.stamps, stamper.delivered) == (1, [artifact.key])


@pytest.mark.parametrize("timestamped", [None, True, False])
async def test_a_picture_that_left_without_a_time_is_counted(timestamped: bool | None) -> None:
    class Timed(PlainStamper):
        def stamp(self, rgb_HWC: Picture, facts: Facts, mark_id: int) -> Stamped:
            return replace(super().stamp(rgb_HWC, facts, mark_id), timestamped=timestamped)

    metrics = Metrics()
    await Finisher(Timed(), FlakyStore(), "cpu", {}, metrics=metrics).picture(claim("timed"), 0, picture())
    counted = metrics.registry.get_sample_value("darkroom_pictures_without_time_total")
    assert counted == (timestamped is False)


async def test_a_quality_that_was_raised_is_said(services: WorkerServices, finisher: Finisher) -> None:
    faint = claim("faint", output_format="jpeg", output_compression=0)
    artifact = await finisher.picture(faint, 0, picture())
    outcome = finisher.success(faint.plan, [artifact], [], 1.0)
    assert artifact.quality in ENOUGH_QUALITY
    assert outcome.receipt is not None
    (notice,) = outcome.receipt.plan.warnings
    assert notice.field == "output_compression"
    assert f"raised to {artifact.quality} for image 0" in notice.reason


def noise() -> Picture:
    """In which a mark drowns."""
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


async def test_a_weak_mark_is_said(services: WorkerServices, finisher: Finisher) -> None:
    small = claim("small", width=64, height=64)
    artifact = await finisher.picture(small, 0, noise())
    outcome = finisher.success(small.plan, [artifact], [], 1.0)
    assert artifact.weak_mark
    assert outcome.receipt is not None
    (notice,) = outcome.receipt.plan.warnings
    assert notice.field == "watermark"
    assert "weak in image 0" in notice.reason


async def test_a_time_that_nobody_attested_is_said(services: WorkerServices, finisher: Finisher) -> None:
    made = await finisher.picture(claim("timed"), 0, picture())
    assert made.timestamped is None
    pictures = [made.model_copy(update={"index": index, "timestamped": index == 1}) for index in range(3)]
    outcome = finisher.success(claim("timed").plan, pictures, [], 1.0)
    assert outcome.receipt is not None
    (notice,) = outcome.receipt.plan.warnings
    assert notice.field == "timestamp"
    assert "attested in image 0, 2:" in notice.reason


async def test_a_quality_that_was_kept_and_one_that_is_none_are_not_said(
    services: WorkerServices, finisher: Finisher
) -> None:
    for kept in (claim("fine", output_format="webp", output_compression=90), claim("none")):
        artifact = await finisher.picture(kept, 0, picture())
        outcome = finisher.success(kept.plan, [artifact], [], 1.0)
        assert outcome.receipt is not None
        assert outcome.receipt.plan == kept.plan
