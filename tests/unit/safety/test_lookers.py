"""Looks that hang: how many threads they keep, and how long anybody waits for them."""

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from darkroom.errors import SafetyUnavailable
from darkroom.metrics import Metrics
from darkroom.safety.lookers import Lookers
from darkroom.safety.words import WordScreen
from tests.checkers import CLEAN, Scripted, screen

HUNG = 0.05
THREADS = 3


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def begun(name: str) -> int:
    return sum(thread.name.startswith(name) for thread in threading.enumerate())


def at_the(gate: threading.Event) -> Callable[[], str]:
    return lambda: "seen" if gate.wait(10) else "never"


async def test_steady_work_behind_looks_that_hang_begins_no_more_threads(gate: threading.Event) -> None:
    stuck: list[bool] = []
    lookers = Lookers(THREADS, "steady", HUNG, lambda: stuck.append(True))
    assert await asyncio.gather(*(lookers.asked(at_the(gate)) for _ in range(4 * THREADS))) == [None] * 4 * THREADS
    assert begun("steady") == THREADS
    assert stuck
    begins = time.monotonic()
    for _ in range(100):
        assert await lookers.asked(at_the(gate)) is None
    assert time.monotonic() - begins < 50 * HUNG, "nobody waits for what is known to hang"
    assert begun("steady") == THREADS


async def test_what_is_refused_is_not_kept(gate: threading.Event) -> None:
    lookers = Lookers(1, "kept", HUNG)
    assert await lookers.asked(at_the(gate)) is None
    look = at_the(gate)
    picture = weakref.ref(look)
    assert await lookers.asked(look) is None
    del look
    assert picture() is None


async def test_one_that_hangs_leaves_the_others_to_be_asked(gate: threading.Event) -> None:
    stuck: list[bool] = []
    lookers = Lookers(2, "others", HUNG, lambda: stuck.append(True))
    assert await lookers.asked(at_the(gate)) is None
    assert [await lookers.asked(lambda: "seen") for _ in range(5)] == ["seen"] * 5
    assert stuck == []


async def test_those_that_come_back_are_asked_again(gate: threading.Event) -> None:
    lookers = Lookers(1, "again", HUNG)
    assert await lookers.asked(at_the(gate)) is None
    gate.set()
    async with asyncio.timeout(5):
        while await lookers.asked(lambda: "seen") is None:
            await asyncio.sleep(0.001)


@pytest.mark.slow
async def test_those_in_front_are_waited_for_while_they_move() -> None:
    """Each takes a seventh of what would be hanging, and all together more."""
    lookers = Lookers(1, "front", 1.4)
    look = partial(threading.Event().wait, 0.2)
    assert await asyncio.gather(*(lookers.asked(look) for _ in range(8))) == [False] * 8


async def test_a_caller_who_goes_away_hides_no_look_that_hangs(gate: threading.Event) -> None:
    lookers = Lookers(1, "away", HUNG)
    asking = asyncio.create_task(lookers.asked(at_the(gate)))
    while not lookers._begun:
        await asyncio.sleep(0.001)
    asking.cancel()
    begins = time.monotonic()
    for _ in range(100):
        assert await lookers.asked(at_the(gate)) is None
    assert time.monotonic() - begins < 50 * HUNG


async def test_what_a_look_raises_is_raised_and_its_thread_is_free_again() -> None:
    lookers = Lookers(1, "raises", 5.0)

    def look() -> None:
        raise SafetyUnavailable("gave no answer")

    for _ in range(2):
        with pytest.raises(SafetyUnavailable):
            await lookers.asked(look)


async def test_words_are_not_waited_for_behind_a_checker_that_hangs(gate: threading.Event) -> None:
    def hang(_: str) -> dict[str, float]:
        gate.wait(10)
        return CLEAN

    metrics = Metrics()
    words = WordScreen(screen(Scripted(hang), metrics=metrics), threads=1, hung=HUNG)
    for _ in range(3):
        with pytest.raises(SafetyUnavailable, match="prompt was not looked at"):
            await words.look("block", "a red circle")
    found = await words.look("annotate", "a red circle")
    assert (found.verdict, found.silent) == (None, ("scripted",))
    told = metrics.render().decode()
    assert 'darkroom_safety_checks_total{checker="scripted",outcome="unavailable",stage="prompt"} 4.0' in told
    await words.close()
