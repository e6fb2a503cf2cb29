"""Checkers that never come back hold up nobody's job for ever, nor the engine at all."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from darkroom.contract.job import JobState
from darkroom.contract.safety import PlannedSafety, SafetyPolicy
from darkroom.errors import SafetyUnavailable
from darkroom.metrics import Metrics
from darkroom.safety.lookers import Lookers
from tests.checkers import CLEAN, Scripted, screen
from tests.unit.worker.shop import Shop
from tests.until import until
from worker.screening import Screening

PICTURE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def hanging(gate: threading.Event) -> Scripted:
    def hang(_: Any) -> Any:
        gate.wait(10)
        return CLEAN

    return Scripted(hang)


@pytest.mark.parametrize("waits_for_another", [False, True])
async def test_a_checker_that_hangs_has_not_looked(gate: threading.Event, waits_for_another: bool) -> None:
    metrics = Metrics()
    screening = Screening(screen(hanging(gate), metrics=metrics), lookers=Lookers(1, "screening", 0.05))
    for _ in range(1 + waits_for_another):  # the second one's look never begins
        with pytest.raises(SafetyUnavailable, match="scripted did not answer"):
            await screening.look("output", "block", "images.0", PICTURE)
    found = await screening.look("output", "annotate", "images.0", PICTURE)
    assert (found.verdict, found.silent) == (None, ("scripted",))
    assert 'outcome="unavailable",stage="output"} ' in metrics.render().decode()


async def test_those_in_front_are_waited_for_as_long_as_they_move() -> None:
    slow = Scripted(lambda _: threading.Event().wait(0.03) or CLEAN)
    screening = Screening(screen(slow), lookers=Lookers(1, "screening", 0.1))
    waiting = [asyncio.create_task(screening.look("output", "block", "images.0", PICTURE)) for _ in range(8)]
    assert all(found.verdict for found in await asyncio.gather(*waiting))


async def test_the_engine_is_told_nothing_of_a_checker_that_hangs(shop: Shop, gate: threading.Event) -> None:
    shop.finisher.screening = Screening(screen(hanging(gate)), lambda _: SafetyPolicy(output="block"))
    looked_at, other = await shop.generating(), await shop.generating()
    shop.engine.finish(looked_at)
    for step in (1, 2, 3):
        shop.engine.step(other, step)
        await until(lambda step=step: any(held.progress and held.progress.step == step for held in shop.hand))
    assert not (await shop.job(looked_at)).state.terminal
    gate.set()
    assert (await shop.ended(looked_at)).state is JobState.SUCCEEDED


async def test_a_receipt_does_not_say_of_words_that_somebody_looked_later(shop: Shop) -> None:
    shop.finisher.screening = Screening(screen(Scripted()), lambda _: SafetyPolicy(prompt="block", output="annotate"))
    job_id = await shop.generating(safety=PlannedSafety())
    shop.engine.finish(job_id)
    receipt = (await shop.ended(job_id)).receipt
    assert receipt is not None
    assert (receipt.plan.safety.prompt, receipt.plan.safety.output) == ("off", "annotate")
