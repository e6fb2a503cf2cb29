"""A store that is away for long costs no job, no order, and bounded room."""

import asyncio
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from darkroom.contract.job import JobState
from darkroom.errors import SigningUnavailable, StoreError, UnmarkedOutput
from darkroom.provenance import Stamped
from darkroom.storage.protocol import ObjectStore
from tests.unit.worker.shop import PICTURE, Shop
from tests.unit.worker.test_spool import files, stamped
from tests.until import until
from worker.delivery import Delivery
from worker.spool import Spool, SpoolFull

BIG = 1_000_000


class Yard:
    """A shop whose worker has a spool."""

    def __init__(self, folder: Path, limit: int = BIG, shop: Shop | None = None) -> None:
        self.shop = shop or Shop(patience=0.05, size=100)
        self.folder = folder
        self.spool = Spool(folder, limit)
        self.highs: list[bool] = []
        shop = self.shop
        self.delivery = Delivery(
            self.spool, shop.stamper, shop.store, shop.ledger, shop.metrics, on_high=self.highs.append
        )
        shop.finisher.delivery = self.delivery
        self.line: asyncio.Task[None] | None = None

    def open(self) -> None:
        self.line = asyncio.create_task(self.delivery.run())

    async def pause(self) -> None:
        if self.line:
            self.line.cancel()
            await asyncio.wait([self.line])

    async def close(self) -> None:
        await self.pause()
        self.spool.close()

    async def spooled(self, **asked: object) -> str:
        """A job whose pictures wait on disk."""
        job_id = await self.shop.generating(**asked)
        before, more = len(self.spool), len(self.shop.engine.works[job_id].plan.seeds)
        self.shop.engine.finish(job_id)
        await until(lambda: len(self.spool) == before + more)
        return job_id


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    yard = Yard(tmp_path)
    yard.open()
    running = asyncio.create_task(yard.shop.intake.run())
    yard.shop.store.away = True
    yield yard
    yard.shop.store.away = False
    yard.shop.intake.drain()
    await running
    await yard.close()


def sample(yard: Yard, name: str) -> float | None:
    return yard.shop.metrics.registry.get_sample_value(name)


async def test_a_job_waits_for_the_store_as_long_as_it_takes_and_then_succeeds(yard: Yard) -> None:
    job_id = await yard.spooled(seeds=(1, 2))
    await asyncio.sleep(0.3)  # six times the patience of pictures in memory
    assert (await yard.shop.job(job_id)).state is JobState.RUNNING
    assert yard.shop.hand.attempts() == {job_id: 1}, "its lease is kept"
    assert sample(yard, "darkroom_spool_pictures") == 2
    assert sample(yard, "darkroom_spool_size_bytes") == yard.spool.used > 0
    yard.shop.store.away = False
    job = await yard.shop.ended(job_id)
    assert (job.state, [each.index for each in job.artifacts]) == (JobState.SUCCEEDED, [0, 1])
    assert await yard.shop.store.get(job.artifacts[0].key) == PICTURE.tobytes()
    assert (files(yard.folder), sample(yard, "darkroom_spool_pictures")) == ([], 0)


async def test_pictures_are_stored_in_the_order_in_which_they_came(yard: Yard) -> None:
    jobs = [await yard.spooled() for _ in range(5)]
    yard.shop.store.away = False
    for job_id in jobs:
        await yard.shop.ended(job_id)
    assert yard.shop.stamper.delivered == [f"images/{job_id}/0.png" for job_id in jobs]
    assert yard.shop.stamper.stamps == len(jobs), "what was stamped when the store went is what is delivered"


async def test_what_waits_on_disk_does_not_wait_in_memory(yard: Yard) -> None:
    job_id = await yard.shop.generating()
    pixels = np.zeros((8, 8, 3), np.uint8)
    gone = weakref.ref(pixels)
    yard.shop.relay.on_image(yard.shop.engine.works[job_id], 0, pixels)
    del pixels
    await until(lambda: len(yard.spool) == 1)
    await asyncio.sleep(0)
    assert gone() is None
    assert not yard.shop.finisher.crowded


async def test_a_canceled_jobs_picture_is_not_stored(yard: Yard) -> None:
    job_id = await yard.spooled()
    await yard.shop.ledger.cancel("ann", job_id)
    await yard.shop.ended(job_id)
    yard.shop.store.away = False
    await until(lambda: len(yard.spool) == 0)
    assert yard.shop.stamper.delivered == []
    assert files(yard.folder) == []


@pytest.mark.parametrize("alive", [True, False])
async def test_pictures_of_a_process_that_died_are_stored_only_while_their_job_may_succeed(
    tmp_path: Path, alive: bool
) -> None:
    shop = Shop()
    job_id = await shop.submit()
    if not alive:
        await shop.ledger.cancel("ann", job_id)
    left = stamped()
    before = Spool(tmp_path, BIG)
    for owner in (job_id, "a job that the ledger has forgotten"):
        record = left.record.model_copy(update={"job_id": owner})
        before.write(f"images/{owner[:26]}/0.png".replace(" ", "-"), Stamped(**{**vars(left), "record": record}))
    before.close()
    yard = Yard(tmp_path, shop=shop)
    yard.open()
    await until(lambda: len(yard.spool) == 0)
    assert shop.stamper.delivered == ([f"images/{job_id}/0.png"] if alive else [])
    await yard.close()


async def test_what_a_draining_worker_handed_back_is_stored_by_the_next_one(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.open()
    running = asyncio.create_task(yard.shop.intake.run())
    yard.shop.store.away = True
    job_id = await yard.spooled()
    yard.shop.intake.drain()
    await running
    job = await yard.shop.job(job_id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    await yard.close()
    yard.shop.store.away = False
    heir = Yard(tmp_path, shop=yard.shop)
    heir.open()
    await until(lambda: len(heir.spool) == 0)
    assert yard.shop.stamper.delivered == [f"images/{job_id}/0.png"]
    await heir.close()


async def test_a_spool_that_fills_up_stops_new_jobs_says_so_and_takes_jobs_again_when_it_empties(
    tmp_path: Path,
) -> None:
    yard = Yard(tmp_path, limit=2_500)
    yard.open()
    running = asyncio.create_task(yard.shop.intake.run())
    yard.shop.store.away = True
    first = await yard.spooled(seeds=(1, 2, 3))
    assert (yard.highs, yard.shop.hand.room(), yard.shop.hand.stalled) == ([True], 0, True)
    await until(lambda: yard.shop.ledger.serving_now() == set())
    late = await yard.shop.submit()
    await asyncio.sleep(0.05)
    assert late not in yard.shop.engine.works
    yard.shop.store.away = False
    await yard.shop.ended(first)
    await until(lambda: late in yard.shop.engine.works)
    await until(lambda: yard.shop.ledger.serving_now() == {"tiny"})
    assert yard.highs == [True, False]
    yard.shop.engine.finish(late)
    await yard.shop.ended(late)
    yard.shop.intake.drain()
    await running
    await yard.close()


def full(key: str, stamped: Stamped) -> Path:
    raise SpoolFull


@pytest.mark.parametrize("limit", [10, BIG], ids=["too small", "broken"])
async def test_what_no_disk_takes_waits_in_memory_for_its_patience_and_nothing_is_claimed_meanwhile(
    tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard = Yard(tmp_path, limit)
    monkeypatch.setattr(yard.spool, "write", full)
    yard.open()
    running = asyncio.create_task(yard.shop.intake.run())
    yard.shop.store.away = True
    job_id = await yard.shop.generating()
    yard.shop.engine.finish(job_id)
    await until(lambda: yard.shop.hand.stalled)
    assert yard.shop.hand.room() == 0
    job = await yard.shop.ended(job_id)
    assert job.failure is not None
    assert (job.failure.code, job.failure.retryable) == ("store_unavailable", True)
    assert not yard.shop.hand.stalled
    yard.shop.intake.drain()
    await running
    await yard.close()


async def test_store_and_signer_away_together_and_back_one_after_the_other(tmp_path: Path) -> None:
    yard = Yard(tmp_path, shop=Shop())
    yard.open()
    running = asyncio.create_task(yard.shop.intake.run())
    yard.shop.store.away, yard.shop.stamper.trouble = True, SigningUnavailable("away")
    job_id = await yard.shop.generating()
    yard.shop.engine.finish(job_id)
    await asyncio.sleep(0.05)
    assert (files(yard.folder), yard.shop.stamper.delivered) == ([], []), "what is not signed is written nowhere"
    yard.shop.stamper.trouble = None
    await until(lambda: len(yard.spool) == 1)
    yard.shop.stamper.trouble = SigningUnavailable("away again")
    yard.shop.store.away = False
    assert (await yard.shop.ended(job_id)).state is JobState.SUCCEEDED
    yard.shop.intake.drain()
    await running
    await yard.close()


async def test_a_picture_that_cannot_be_delivered_fails_its_job_and_holds_up_nobody(yard: Yard) -> None:
    bad, good = await yard.spooled(), await yard.spooled()
    deliver = yard.shop.stamper.deliver

    async def refusing(picture: Stamped, store: ObjectStore, key: str) -> Stamped:
        if picture.record.job_id == bad:
            raise UnmarkedOutput("another's bytes lie there")
        return await deliver(picture, store, key)

    yard.shop.stamper.deliver = refusing  # type: ignore[method-assign]
    yard.shop.store.away = False
    assert (await yard.shop.ended(good)).state is JobState.SUCCEEDED
    job = await yard.shop.ended(bad)
    assert job.failure is not None
    assert job.failure.code == "unmarked_output"


async def test_a_picture_damaged_on_disk_fails_its_job_by_name(yard: Yard) -> None:
    job_id = await yard.spooled()
    (path,) = files(yard.folder)
    await yard.pause()  # else a try may be under way that has read the whole of it
    path.write_bytes(path.read_bytes()[:-1])
    with capture_logs() as logs:
        yard.shop.store.away = False
        yard.open()
        job = await yard.shop.ended(job_id)
    assert job.failure is not None
    assert job.failure.code == StoreError.code
    assert "spool.damaged" in [line["event"] for line in logs]
    assert files(yard.folder) == []
