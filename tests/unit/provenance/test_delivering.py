"""Pictures that were stamped while the store was away, and are stored later."""

import pytest

from darkroom.errors import StoreError
from darkroom.provenance import Stamped
from darkroom.provenance.record_keys import mark_key
from darkroom.provenance.records import JSON, Reservation
from tests.unit.provenance.house import House
from tests.unit.provenance.making import clouds, facts, shapes

KEY = "images/01JOB/0"


def stamped_away(house: House) -> Stamped:
    return house.stamper.stamp_unreserved(shapes(128, 128), facts("01JOB", height=128, width=128))


async def test_what_is_delivered_is_as_what_was_issued_at_once(house: House) -> None:
    away = stamped_away(house)
    assert house.stored() == [], "stamping asks no store"
    delivered = await house.stamper.deliver(away, house.store, KEY)
    assert delivered == away
    assert await house.store.get(KEY) == away.data
    verdict = await house.verify(away.data)
    assert (verdict.state, verdict.watermark_id) == ("intact", away.watermark_id)
    assert await house.records.find(int(away.watermark_id, 16)) == away.record
    assert await house.records.manifest(away.manifest_id) == away.manifest
    assert int(away.watermark_id, 16) == await house.records.reserve("01JOB", 0)


async def test_to_deliver_twice_is_to_deliver_once(house: House) -> None:
    away = stamped_away(house)
    first = await house.stamper.deliver(away, house.store, KEY)
    again = await house.stamper.deliver(away, house.store, KEY)
    assert (again.data, again.record, again.sha256) == (first.data, first.record, first.sha256)


async def test_a_picture_that_another_attempt_has_stored_meanwhile_is_the_one_that_counts(house: House) -> None:
    away = stamped_away(house)
    kept = await house.issue(clouds(128, 128))
    delivered = await house.stamper.deliver(away, house.store, KEY)
    assert (delivered.data, delivered.manifest_id) == (kept.data, kept.manifest_id)
    assert delivered.record.manifest_id == kept.manifest_id
    assert (await house.records.find(int(kept.watermark_id, 16))) == delivered.record
    assert (await house.verify(delivered.data)).manifest_id == kept.manifest_id


async def test_a_mark_that_belongs_to_another_picture_is_not_given_twice(house: House) -> None:
    away = stamped_away(house)
    taken = Reservation(watermark_id=away.watermark_id, job_id="another", index=0)
    await house.store.put(mark_key(away.watermark_id), taken.model_dump_json().encode(), media_type=JSON)
    with pytest.raises(StoreError):
        await house.stamper.deliver(away, house.store, KEY)
    assert await house.store.get(mark_key(away.watermark_id)) == taken.model_dump_json().encode()
    assert await house.store.put(KEY, b"", media_type="image/png", if_absent=True), "nothing was stored under the key"
