"""Pictures go when their record goes, however often the courier or the store fails in between; provenance stays."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from darkroom.contract.job import picture_keys
from darkroom.errors import LedgerUnavailable, NotStored, StoreUnavailable
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.rules import Rules
from darkroom.provenance import Facts
from darkroom.services import WorkerServices, run_courier
from darkroom.services.leftovers import AT_ONCE, LEASE_SECONDS, LeftoverSweep
from darkroom.storage import FolderStore, MemoryStore
from tests.fakes import fake_verifier, fake_worker_services
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import claimed, plan, submitted, succeeded

TTL = 60


class StubbornStore(MemoryStore):
    """Deletes nothing whose key holds one of these words."""

    def __init__(self, *words: str) -> None:
        super().__init__()
        self.words = list(words)

    async def delete(self, key: str) -> None:
        if any(word in key for word in self.words):
            raise StoreUnavailable("the object store refused (AccessDenied)")
        await super().delete(key)


async def kept(store: MemoryStore) -> set[str]:
    return set(store._objects)


async def ended(ledger: MemoryLedger, store: MemoryStore, tenant: str = "ann") -> str:
    """The id of a job that ended well and has one picture in the store."""
    job_id = await submitted(ledger, tenant)
    await ledger.finish(job_id, (await claimed(ledger)).attempt, succeeded())
    await store.put(picture_keys(job_id, plan())[0], b"picture", media_type="image/png")
    return job_id


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def ledger(clock: StillClock) -> MemoryLedger:
    return MemoryLedger(Rules(result_ttl_ms=TTL * 1000), clock)


async def test_pictures_go_with_their_record_and_not_before(ledger: MemoryLedger, clock: StillClock) -> None:
    store = MemoryStore()
    sweep = LeftoverSweep(ledger, store)
    await ended(ledger, store)
    await clock.advance(TTL - 1)
    await ledger.reap()
    assert await sweep.sweep() == 0
    assert len(await kept(store)) == 1
    await clock.advance(1)
    await ledger.reap()
    assert await sweep.sweep() == 1
    assert await kept(store) == set()
    assert await ledger.leftovers() == []


async def test_a_store_that_is_away_keeps_the_row_for_later(ledger: MemoryLedger, clock: StillClock) -> None:
    store = StubbornStore("images/")
    sweep = LeftoverSweep(ledger, store)
    await ended(ledger, store)
    await clock.advance(TTL)
    await ledger.reap()
    assert await sweep.sweep() == 0
    assert len(await ledger.leftovers()) == 1
    store.words.clear()
    assert await sweep.sweep() == 0, "it is tried again in a minute"
    await clock.advance(LEASE_SECONDS)
    assert await sweep.sweep() == 1
    assert await kept(store) == set()


async def test_a_courier_that_dies_between_deleting_and_noting_it_deletes_again(
    ledger: MemoryLedger, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    await ended(ledger, store)
    await clock.advance(TTL)
    await ledger.reap()

    async def dead(*_rows: str) -> None:
        raise LedgerUnavailable("the ledger is away")

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "leftovers_done", dead)
        with pytest.raises(LedgerUnavailable):
            await LeftoverSweep(ledger, store).sweep()
    assert await kept(store) == set()
    await clock.advance(LEASE_SECONDS)
    assert await LeftoverSweep(ledger, store).sweep() == 1  # another courier: the row is still there
    assert await ledger.leftovers() == []


async def test_one_picture_that_cannot_be_deleted_does_not_keep_the_others(
    ledger: MemoryLedger, clock: StillClock
) -> None:
    store = StubbornStore()
    first, _ = await ended(ledger, store, "ann"), await ended(ledger, store, "bob")
    store.words.append(first)
    await clock.advance(TTL)
    await ledger.reap()
    sweep = LeftoverSweep(ledger, store)
    for _ in range(4):
        await sweep.sweep()
    assert await kept(store) == {picture_keys(first, plan())[0]}
    assert len(await ledger.leftovers()) == 1


class SlowStore(MemoryStore):
    """Counts how many are deleted at a time, and how many in all."""

    under_way = most = calls = 0

    async def delete(self, key: str) -> None:
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        await super().delete(key)
        self.under_way -= 1


async def test_hundreds_go_in_one_sweep_several_at_a_time(ledger: MemoryLedger, clock: StillClock) -> None:
    store = SlowStore()
    for number in range(5):
        await ended(ledger, store, f"tenant-{number}")
    rows = [(row, picture_keys(f"job-{number}", plan())) for number, row in enumerate(map(str, range(10_000, 10_250)))]
    for row, keys in rows:
        ledger._leftovers.put(f"{row}-0", keys)
        await store.put(keys[0], b"picture", media_type="image/png")
    assert await LeftoverSweep(ledger, store).sweep() == 250
    assert await ledger.leftovers() == []
    assert len(await kept(store)) == 5, "those of records that are remembered"
    assert store.most == AT_ONCE


async def test_couriers_share_what_is_left_over(ledger: MemoryLedger) -> None:
    store, couriers = SlowStore(), 3
    for number in range(200):
        ledger._leftovers.put(f"{number + 1}-0", picture_keys(f"job-{number}", plan()))
    deleted = await asyncio.gather(*(LeftoverSweep(ledger, store).sweep() for _ in range(couriers)))
    assert (sum(deleted), store.calls) == (200, 200), "each once"
    assert min(deleted) > 0
    assert store.most == couriers * AT_ONCE


async def test_rows_that_are_refused_for_ever_keep_no_courier_from_the_rest(
    ledger: MemoryLedger, clock: StillClock
) -> None:
    store = StubbornStore("job-bad")
    for number in range(5 * AT_ONCE):
        name = "job-bad" if number < 3 * AT_ONCE else "job-good"
        ledger._leftovers.put(f"{number + 1}-0", picture_keys(f"{name}-{number}", plan()))
    sweep = LeftoverSweep(ledger, store)
    assert [await sweep.sweep() for _ in range(4)] == [0, 0, 0, 2 * AT_ONCE]
    store.words.clear()
    await clock.advance(LEASE_SECONDS)
    assert await sweep.sweep() == 3 * AT_ONCE


async def test_a_row_that_names_nothing_keeps_nobody(ledger: MemoryLedger) -> None:
    store = MemoryStore()
    ledger._leftovers.put("1-0", ())
    for number in range(2, 40):
        ledger._leftovers.put(f"{number}-0", picture_keys(f"job-{number}", plan()))
    assert await LeftoverSweep(ledger, store).sweep() == 38
    assert await ledger.leftovers() == []


async def test_a_store_that_is_away_is_asked_a_few_times_a_sweep(ledger: MemoryLedger) -> None:
    store = StubbornStore("images/")
    for number in range(100):
        ledger._leftovers.put(f"{number + 1}-0", picture_keys(f"job-{number}", plan()))
    sweep = LeftoverSweep(ledger, store)
    assert await sweep.sweep() == 0
    assert sweep._after == f"{AT_ONCE}-0"


async def test_the_couriers_rounds_sweep_them_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stop = StillClock(), asyncio.Event()
    services = fake_worker_services(clock, result_ttl=TTL)
    job_id = await ended(services.ledger, services.store)  # type: ignore[arg-type]
    await clock.advance(TTL)
    courier = asyncio.create_task(run_courier(services, stop, every=0.001))
    async with asyncio.timeout(5):
        while await kept(services.store):  # type: ignore[arg-type]
            await asyncio.sleep(0.001)
    stop.set()
    await courier
    assert (await services.ledger.jobs("ann", limit=9)).jobs == ()
    with pytest.raises(NotStored):
        await services.store.get(picture_keys(job_id, plan())[0])


async def test_a_copy_of_a_deleted_picture_is_still_recovered() -> None:
    clock = StillClock()
    services = fake_worker_services(clock, result_ttl=TTL)
    stripped = await issue_and_strip(services)
    await clock.advance(TTL)
    await services.ledger.reap()
    assert await LeftoverSweep(services.ledger, services.store).sweep() == 1
    assert (await fake_verifier(services.store).verify(stripped)).state == "recovered"


async def issue_and_strip(services: WorkerServices) -> bytes:
    """End a job with a real picture, and return that picture without its metadata."""
    import io

    from PIL import Image

    job_id = await submitted(services.ledger)
    claim = await claimed(services.ledger)
    y, x = np.mgrid[0:128, 0:128]
    rgb_HWC = np.stack([x + 60, y + 60, (x + y) // 2 + 40], axis=-1).clip(0, 255).astype(np.uint8)
    facts = Facts(
        job_id=job_id, index=0, tenant="ann", plan=claim.plan, seed=7, created_at=clock_start(), versions={"x": "1"}
    )
    (key,) = picture_keys(job_id, claim.plan)
    stamped = await services.stamper.issue(rgb_HWC, facts, services.store, key)
    await services.ledger.finish(job_id, claim.attempt, succeeded())
    bare = io.BytesIO()
    Image.open(io.BytesIO(stamped.data)).convert("RGB").save(bare, "PNG")
    return bare.getvalue()


def clock_start() -> float:
    return StillClock().now


async def test_a_jobs_folder_goes_with_its_last_picture(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for key in ("images/a/0.png", "images/a/1.png", "images/b/0.png"):
        await store.put(key, b"x", media_type="image/png")
    await store.delete("images/a/0.png")
    assert (tmp_path / "images/a").is_dir()
    await store.delete("images/a/1.png")
    await store.delete("images/a/1.png")
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == ["b"]
    await store.delete("images/b/0.png")
    assert (tmp_path / "images").is_dir()  # shared with pictures that are just being put
