"""Records end when they are due and not before, whatever fails in between; what they led to is unknown then."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkroom.errors import StoreUnavailable
from darkroom.provenance import Records, Stamper
from darkroom.provenance.retention import BATCH, REST_SECONDS, Retention
from darkroom.storage import FolderStore, MemoryStore, ObjectStore
from tests.unit.provenance.house import House
from tests.unit.provenance.making import SECRET, decoded, facts, shapes, watermarker

DAY = 24 * 3600
TTL = 30 * DAY
MIDNIGHT = 1_763_942_400.0  # the end of 2025-11-23, UTC
JSON = "application/json"


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class StubbornStore(MemoryStore):
    """Deletes nothing whose key holds this word."""

    word = ""

    async def delete(self, key: str) -> None:
        if self.word and self.word in key:
            raise StoreUnavailable("the object store refused (AccessDenied)")
        await super().delete(key)


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path / "store")


async def noted(store: ObjectStore, number: int, day: str = "2025-11-23") -> None:
    """The three objects of one record, as small as they get."""
    mark = f"{number:012x}"
    await store.put(f"provenance/expiring/{day}/{mark}.m-{number}", b"", media_type=JSON)
    await store.put(f"provenance/manifests/m-{number}.c2pa", b"x", media_type=JSON)
    await store.put(f"provenance/marks/{mark}.json", b"{}", media_type=JSON)


async def test_a_record_ends_when_its_day_is_as_old_as_that(store: ObjectStore, house: House) -> None:
    records = Records(store, SECRET)
    told = replace(facts(width=128, height=128), created_at=MIDNIGHT - DAY + 1)
    stamped = await Stamper(watermarker(), house.identity, records).issue(shapes(128, 128), told, store, "images/a/0")
    mark_id = int(stamped.watermark_id, 16)
    assert await Retention(store, TTL, Clock(MIDNIGHT + TTL - 1)).sweep() == 0
    assert await records.find(mark_id) == stamped.record
    assert await records.manifest(stamped.manifest_id) == stamped.manifest
    assert await Retention(store, TTL, Clock(MIDNIGHT + TTL)).sweep() == 1
    assert await records.find(mark_id) is None
    assert await records.manifest(stamped.manifest_id) is None
    assert await store.keys("provenance") == []
    assert await store.get("images/a/0") == stamped.data


async def test_a_stripped_picture_whose_record_has_ended_is_unknown(house: House) -> None:
    stamped = await house.issue()
    stripped = decoded(stamped.data)
    assert (await house.verify_pixels(stripped)).state == "recovered"
    ended = stamped.record.created_at + TTL + DAY
    assert await Retention(house.store, TTL, Clock(ended)).sweep() == 1
    assert (await house.verify_pixels(stripped)).state == "unknown_id"
    assert (await house.verify(stamped.data)).state == "intact"


async def test_without_the_setting_records_stay_for_ever(store: ObjectStore) -> None:
    await noted(store, 1)
    assert await Retention(store, None, Clock(MIDNIGHT * 2)).sweep() == 0
    assert len(await store.keys("provenance")) == 3


async def test_what_is_due_goes_in_batches_the_oldest_first(store: ObjectStore) -> None:
    for number in range(BATCH + 5):
        await noted(store, number, "2025-11-23" if number < 5 else "2025-11-22")
    await noted(store, 99, "2025-11-24")
    sweep = Retention(store, TTL, Clock(MIDNIGHT + TTL))
    assert await sweep.sweep() == BATCH
    assert [key.split("/")[2] for key in await store.keys("provenance/expiring")] == ["2025-11-23"] * 5 + ["2025-11-24"]
    assert await sweep.sweep() == 5
    assert await sweep.sweep() == 0
    assert len(await store.keys("provenance")) == 3


async def test_a_sweep_that_found_nothing_due_rests_for_a_while() -> None:
    store, clock = MemoryStore(), Clock(MIDNIGHT + TTL)
    sweep = Retention(store, TTL, clock)
    assert await sweep.sweep() == 0
    await noted(store, 1)
    clock.now += REST_SECONDS - 1
    assert await sweep.sweep() == 0
    clock.now += 1
    assert await sweep.sweep() == 1


@pytest.mark.parametrize("part", ["marks", "manifests", "expiring"])
async def test_a_record_that_cannot_be_deleted_keeps_no_other_and_is_tried_again(part: str) -> None:
    store, clock = StubbornStore(), Clock(MIDNIGHT + TTL)
    for number in (1, 2):
        await noted(store, number)
    store.word = {"marks": "marks/000000000001", "manifests": "manifests/m-1", "expiring": "/000000000001.m-1"}[part]
    sweep = Retention(store, TTL, clock)
    with pytest.raises(StoreUnavailable):
        await sweep.sweep()
    assert await sweep.sweep() == 1
    assert await sweep.sweep() == 0
    assert all("1" in key.rpartition("/")[2] for key in await store.keys("provenance"))
    store.word = ""
    clock.now += REST_SECONDS
    assert await sweep.sweep() == 1
    assert await store.keys("provenance") == []


@pytest.mark.parametrize("name", ["2025-02-31/000000000001.m-1", "2025-11-23/x", "2025-11-23/000000000001.m/1", "x"])
async def test_what_is_no_note_is_left_alone_and_holds_nothing_up(name: str) -> None:
    store = MemoryStore()
    await store.put(f"provenance/expiring/{name}", b"", media_type=JSON)
    await noted(store, 2)
    assert await Retention(store, TTL, Clock(MIDNIGHT + TTL)).sweep() == 1
    assert await store.keys("provenance") == [f"provenance/expiring/{name}"]
