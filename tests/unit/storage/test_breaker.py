"""When calls are refused at once, and when they pass again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from darkroom.breaker import Breaker, Limits
from darkroom.errors import NotStored, StoreError, StoreUnavailable
from darkroom.storage import GuardedStore, MemoryStore
from tests.until import until

QUICK = Limits(waited=0.005, rest=0.01, most_rest=0.04)


class SickStore(MemoryStore):
    """Answers as `reply` says, `slow` after a while, and counts what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.slow = True
        self.checked = 0
        self.asked = 0
        self.probe_hangs = False
        self.refuses = False

    async def get(self, key: str) -> bytes:
        self.asked += 1
        if self.away:
            await asyncio.sleep(0.01 if self.slow else 0)
            raise StoreUnavailable("the store did not answer", retry_after=7)
        return await super().get(key)

    async def check(self) -> None:
        self.checked += 1
        while self.probe_hangs:
            await asyncio.sleep(0.005)
        if self.away:
            raise StoreUnavailable("the store did not answer")
        if self.refuses:
            raise StoreError("the store lets nobody in")


class Guarded:
    def __init__(self) -> None:
        self.sick = SickStore()
        self.changes: list[bool] = []
        self.breaker = Breaker("store", self.changes.append, QUICK)
        self.store = GuardedStore(self.sick, self.breaker)

    async def refused(self, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(StoreUnavailable):
                await self.store.get("a")


@pytest.fixture
async def guarded() -> AsyncIterator[Guarded]:
    guarded = Guarded()
    await guarded.sick.put("a", b"here", media_type="text/plain")
    yield guarded
    guarded.sick.probe_hangs = False
    await guarded.store.close()


async def test_a_probe_that_is_answered_with_a_refusal_closes_and_callers_hear_it(guarded: Guarded) -> None:
    guarded.sick.away = True
    await guarded.refused(2)
    guarded.sick.away, guarded.sick.refuses = False, True
    await until(lambda: not guarded.breaker.is_open)
    with pytest.raises(StoreError):
        await guarded.store.check()
    assert guarded.changes == [True, False]


async def test_after_failures_that_were_waited_for_nobody_waits_any_more(guarded: Guarded) -> None:
    guarded.sick.away = guarded.sick.probe_hangs = True
    await guarded.refused(2)
    asked = guarded.sick.asked
    with pytest.raises(StoreUnavailable) as refusal:
        await guarded.store.get("a")
    assert guarded.sick.asked == asked
    assert (refusal.value.detail, refusal.value.retry_after) == ("the store did not answer", 7)
    with pytest.raises(StoreUnavailable):
        await guarded.store.check()
    for call in (guarded.store.put("b", b"", media_type="text/plain"), guarded.store.delete("a")):
        with pytest.raises(StoreUnavailable):
            await call
    with pytest.raises(StoreUnavailable):
        await guarded.store.keys("a")


async def test_a_failure_told_at_once_refuses_nobody_else(guarded: Guarded) -> None:
    guarded.sick.away, guarded.sick.slow = True, False
    await guarded.refused(20)
    assert (guarded.sick.asked, guarded.breaker.is_open) == (20, False)


async def test_failures_with_an_answer_between_them_are_not_in_a_row(guarded: Guarded) -> None:
    for _ in range(4):
        guarded.sick.away = True
        await guarded.refused()
        guarded.sick.away = False
        with pytest.raises(NotStored):  # which is an answer
            await guarded.store.get("nothing")
    assert not guarded.breaker.is_open


async def test_a_caller_that_hangs_up_says_nothing_of_the_store(guarded: Guarded) -> None:
    guarded.sick.away = True
    await guarded.refused()
    for _ in range(3):
        call = asyncio.create_task(guarded.store.get("a"))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
    assert not guarded.breaker.is_open
    await guarded.refused()
    assert guarded.breaker.is_open


async def test_one_probe_at_a_time_asks_and_the_first_that_is_answered_lets_calls_pass(guarded: Guarded) -> None:
    guarded.sick.away = guarded.sick.probe_hangs = True
    with capture_logs() as logs:
        await guarded.refused(2)
        await until(lambda: guarded.sick.checked == 1)
        await guarded.refused(50)
        await asyncio.sleep(0.05)
        assert (guarded.sick.checked, guarded.sick.asked) == (1, 2)
        guarded.sick.probe_hangs = False
        await until(lambda: guarded.sick.checked > 2)  # still away: it goes on asking
        assert guarded.breaker.is_open
        guarded.sick.away = False
        await until(lambda: not guarded.breaker.is_open)
    assert await guarded.store.get("a") == b"here"
    assert guarded.changes == [True, False]
    assert [line["event"] for line in logs] == ["breaker.opened", "breaker.closed"]


async def test_calls_that_fail_although_probes_succeed_are_tried_ever_more_rarely(guarded: Guarded) -> None:
    rests = []
    for _ in range(4):
        rests.append(guarded.breaker._rest)
        guarded.sick.away = True
        await guarded.refused(2)
        guarded.sick.away = False
        await until(lambda: not guarded.breaker.is_open)
    assert rests == [0.01, 0.02, 0.04, 0.04]
    await guarded.store.get("a")
    assert guarded.breaker._rest == 0.01


async def test_a_url_is_signed_whether_or_not_the_store_answers(guarded: Guarded) -> None:
    guarded.sick.away = guarded.sick.probe_hangs = True
    await guarded.refused(2)
    url = guarded.store.url("a", expires=timedelta(minutes=1), media_type="image/png", filename="a.png")
    assert await url is None  # a store in memory has none


async def test_a_closed_store_asks_nothing_more(guarded: Guarded) -> None:
    guarded.sick.away = True
    await guarded.refused(2)
    await guarded.store.close()
    checked = guarded.sick.checked
    await asyncio.sleep(0.05)
    assert guarded.sick.checked == checked
