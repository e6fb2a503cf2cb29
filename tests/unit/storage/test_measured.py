"""A store whose calls are counted."""

from datetime import timedelta

import pytest

from darkroom.errors import NotStored, StoreUnavailable
from darkroom.metrics import Metrics
from darkroom.storage import MeasuredStore, MemoryStore


class Away(MemoryStore):
    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool:
        raise StoreUnavailable("away")

    async def delete(self, key: str) -> None:
        raise ZeroDivisionError


def calls(metrics: Metrics) -> dict[tuple[str, str], float]:
    (family,) = [each for each in metrics.registry.collect() if each.name == "darkroom_store_calls"]
    samples = [each for each in family.samples if each.name.endswith("_total")]
    return {(each.labels["operation"], each.labels["outcome"]): each.value for each in samples}


async def test_every_call_is_counted_by_what_came_of_it() -> None:
    metrics = Metrics()
    store = MeasuredStore(MemoryStore(), metrics)
    assert await store.put("images/a", b"x", media_type="image/png")
    assert not await store.put("images/a", b"y", media_type="image/png", if_absent=True)
    assert await store.get("images/a") == b"x"
    with pytest.raises(NotStored):
        await store.get("images/b")
    assert await store.keys("images") == ["images/a"]
    await store.delete("images/a")
    await store.check()
    assert calls(metrics) == {
        ("put", "ok"): 2,
        ("get", "ok"): 1,
        ("get", "absent"): 1,
        ("keys", "ok"): 1,
        ("delete", "ok"): 1,
        ("check", "ok"): 1,
    }
    seconds = metrics.registry.get_sample_value("darkroom_store_call_duration_seconds_count", {"operation": "get"})
    assert seconds == 2


async def test_a_store_that_is_away_and_one_that_breaks_are_told_apart() -> None:
    metrics = Metrics()
    store = MeasuredStore(Away(), metrics)
    with pytest.raises(StoreUnavailable):
        await store.put("images/a", b"x", media_type="image/png")
    with pytest.raises(ZeroDivisionError):
        await store.delete("images/a")
    assert calls(metrics) == {("put", "unavailable"): 1, ("delete", "error"): 1}


async def test_signing_a_url_is_no_call() -> None:
    metrics = Metrics()
    store = MeasuredStore(MemoryStore(), metrics)
    await store.url("images/a", expires=timedelta(hours=1), media_type="image/png", filename="a.png")
    await store.close()
    assert calls(metrics) == {}
