"""What is kept of a picture is deleted when somebody asks, whatever fails in between; nothing of others is."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkroom.errors import StoreUnavailable
from darkroom.provenance import Records, SigningIdentity, Stamped, Stamper, State
from darkroom.provenance.erasure import PAGE, Erasure
from darkroom.storage import FolderStore, MemoryStore, ObjectStore
from tests.unit.provenance.house import House
from tests.unit.provenance.making import SECRET, decoded, facts, shapes, watermarker

MIDNIGHT = 1_763_942_400.0  # UTC
FOLDER = "provenance"


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path / "store")


async def issued(store: ObjectStore, identity: SigningIdentity, job_id: str, at: float = MIDNIGHT) -> Stamped:
    stamper = Stamper(watermarker(), identity, Records(store, SECRET))
    told = replace(facts(job_id, width=128, height=128), created_at=at)
    return await stamper.issue(shapes(128, 128), told, store, f"images/{job_id}/0")


async def kept(store: ObjectStore) -> list[str]:
    """All keys of records, manifests and notes."""
    folders = [f"{FOLDER}/marks", f"{FOLDER}/manifests", f"{FOLDER}/expiring"]
    return [key for folder in folders for key in await store.keys(folder)]


async def test_record_manifest_and_note_are_deleted_and_those_of_others_stay(store: ObjectStore, house: House) -> None:
    other = await issued(store, house.identity, "01OTHER")
    before = await kept(store)
    stamped = await issued(store, house.identity, "01JOB")
    records = Records(store, SECRET)
    forgotten = await Erasure(store, records).forget(int(stamped.watermark_id, 16))
    assert forgotten is not None
    assert (forgotten.watermark_id, forgotten.manifests) == (stamped.watermark_id, 1)
    assert await kept(store) == before
    assert await records.find(int(other.watermark_id, 16)) == other.record
    assert await Erasure(store, records).forget(int(stamped.watermark_id, 16)) is None


async def test_manifests_of_attempts_that_lost_go_too_also_from_across_midnight(
    store: ObjectStore, house: House
) -> None:
    records = Records(store, SECRET)
    stamped = await issued(store, house.identity, "01JOB", MIDNIGHT + 1)
    late = stamped.record.model_copy(update={"manifest_id": "urn:c2pa:lost-before", "created_at": MIDNIGHT - 1})
    await records.keep_manifest(late, b"lost")
    again = stamped.record.model_copy(update={"manifest_id": "urn:c2pa:lost-again"})
    await records.keep_manifest(again, b"lost")
    beside = stamped.record.model_copy(update={"watermark_id": "f" * 12, "manifest_id": "urn:c2pa:of-another"})
    await records.keep_manifest(beside, b"another's")
    forgotten = await Erasure(store, records).forget(int(stamped.watermark_id, 16))
    assert forgotten is not None
    assert forgotten.manifests == 3
    assert await kept(store) == [
        "provenance/manifests/of-another.c2pa",
        f"provenance/expiring/2025-11-24/{'f' * 12}.of-another",
    ]


async def test_of_more_attempts_than_one_page_holds_none_is_left(store: ObjectStore, house: House) -> None:
    records = Records(store, SECRET)
    stamped = await issued(store, house.identity, "01JOB")
    for number in range(2 * PAGE + 1):
        lost = stamped.record.model_copy(update={"manifest_id": f"urn:c2pa:lost-{number}"})
        await records.keep_manifest(lost, b"lost")
    forgotten = await Erasure(store, records).forget(int(stamped.watermark_id, 16))
    assert forgotten is not None
    assert forgotten.manifests == 2 * PAGE + 2
    assert await kept(store) == []


class BreakingStore(MemoryStore):
    """Refuses the deletion number `breaks_at`, and all after it."""

    breaks_at = 1_000_000
    deletions = 0

    async def delete(self, key: str) -> None:
        self.deletions += 1
        if self.deletions > self.breaks_at:
            raise StoreUnavailable("the store is away")
        await super().delete(key)


@pytest.mark.parametrize("breaks_at", [0, 1, 2])
async def test_what_fails_in_between_is_done_by_asking_again(breaks_at: int, house: House) -> None:
    store = BreakingStore()
    stamped = await issued(store, house.identity, "01JOB")
    erasure = Erasure(store, Records(store, SECRET))
    store.breaks_at = breaks_at
    with pytest.raises(StoreUnavailable):
        await erasure.forget(int(stamped.watermark_id, 16))
    store.breaks_at = 1_000_000
    assert await erasure.forget(int(stamped.watermark_id, 16)) is not None
    assert await kept(store) == []


async def test_afterwards_a_stripped_copy_is_unknown_and_a_whole_one_is_intact(house: House) -> None:
    stamped = await house.issue()
    assert (await house.verify_pixels(decoded(stamped.data))).state is State.RECOVERED
    assert await Erasure(house.store, house.records).forget(int(stamped.watermark_id, 16))
    assert (await house.verify_pixels(decoded(stamped.data))).state is State.UNKNOWN_ID
    assert (await house.verify(stamped.data)).state is State.INTACT


async def test_halfway_through_nothing_is_told_of_the_picture_any_more(house: House) -> None:
    stamped = await house.issue()
    await house.store.delete(f"provenance/manifests/{stamped.manifest_id.removeprefix('urn:c2pa:')}.c2pa")
    verdict = await house.verifier.verify(stamped.data, stamped.record.tenant)
    assert verdict.owner is None


async def test_a_mark_that_is_only_reserved_is_left_to_its_job(house: House) -> None:
    mark_id = await house.records.reserve("01JOB", 0)
    assert await Erasure(house.store, house.records).forget(mark_id) is None
    assert await house.records.reserve("01JOB", 0) == mark_id
