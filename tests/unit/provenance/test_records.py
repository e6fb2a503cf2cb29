"""The way back from a mark to what was signed."""

import asyncio

import numpy as np
import pytest

from darkroom.errors import StoreError
from darkroom.provenance import Record, Records
from darkroom.provenance import records as module
from darkroom.storage import MemoryStore
from tests.unit.provenance.house import House
from tests.unit.provenance.making import SECRET, shapes


@pytest.fixture
def records() -> Records:
    return Records(MemoryStore(), SECRET)


async def test_attempts_that_reserve_at_once_come_to_one_mark(records: Records) -> None:
    made = await asyncio.gather(*(records.reserve("job", 0) for _ in range(8)))
    assert len(set(made)) == 1


async def test_marks_have_48_bits_and_cannot_be_foretold_without_the_secret() -> None:
    one, other = Records(MemoryStore(), SECRET), Records(MemoryStore(), bytes(32))
    ours = {await one.reserve("job", index) for index in range(50)}
    theirs = {await other.reserve("job", index) for index in range(50)}
    assert len(ours) == len(theirs) == 50
    assert not ours & theirs
    assert all(0 <= mark_id < 2**48 for mark_id in ours | theirs)


async def test_pictures_whose_marks_collide_get_different_ones(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_draw", lambda _key, _job, _index, salt: salt)
    assert [await records.reserve("job", index) for index in range(3)] == [0, 1, 2]
    assert await records.reserve("job", 1) == 1


async def test_an_attempt_after_the_secret_was_changed_comes_to_the_same_mark() -> None:
    store = MemoryStore()
    before, after = Records(store, SECRET), Records(store, bytes(32), SECRET)
    mark_id = await before.reserve("job", 0)
    assert await after.reserve("job", 0) == mark_id
    assert await after.reserve("job", 1) == await Records(MemoryStore(), bytes(32)).reserve("job", 1)


async def test_when_every_mark_is_taken_there_is_an_end(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_draw", lambda *_: 7)
    await records.reserve("job", 0)
    with pytest.raises(StoreError, match="no free watermark id"):
        await records.reserve("job", 1)


async def test_what_was_never_issued_is_not_found(records: Records) -> None:
    assert await records.find(5) is None
    assert await records.find(await records.reserve("job", 0)) is None
    assert await records.manifest("urn:c2pa:none-such") is None


@pytest.mark.parametrize(
    "label", ["", "x", "urn:c2pa:", "urn:c2pa:../../images/a", "urn:c2pa:" + "a" * 65, "urn:c2pa:a\n"]
)
async def test_a_label_that_is_none_leads_nowhere(records: Records, label: str) -> None:
    assert await records.manifest(label) is None


@pytest.mark.parametrize("left", [b"", b"{}", b"garbage", b'{"kind":"issued"}'])
async def test_a_damaged_record_is_named(left: bytes) -> None:
    store = MemoryStore()
    await store.put("provenance/marks/000000000005.json", left, media_type=module.JSON)
    with pytest.raises(StoreError, match="000000000005 is damaged"):
        await Records(store, SECRET).find(5)


async def test_a_record_comes_back_as_it_was_put(house: House) -> None:
    record = (await house.issue(shapes(64, 64))).record
    assert await house.records.find(int(record.watermark_id, 16)) == record
    assert record.key_id != record.watermark_id
    assert "canary" not in record.model_dump_json()


async def test_a_weak_mark_is_on_record_also_where_a_later_attempt_adopts_the_picture(house: House) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert [(await house.issue(noise)).record.weak for _ in range(2)] == [True, True]
    assert not (await house.issue(shapes(256, 256), job_id="02JOB")).record.weak


async def test_a_record_from_before_marks_were_called_weak_is_still_read(house: House) -> None:
    record = (await house.issue(shapes(64, 64))).record
    older = Record.model_validate_json(record.model_dump_json(exclude={"weak"}))
    assert (older.watermark_id, older.weak) == (record.watermark_id, False)
