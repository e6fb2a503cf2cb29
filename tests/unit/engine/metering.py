"""A meter that remembers what it was told."""

from collections import Counter
from threading import Event
from typing import NamedTuple

from worker.engine.meter import Idle, Unmetered


class Pass(NamedTuple):
    model: str
    rows: int
    possible: int
    seconds: float


class Passes(Unmetered):
    """Adds each pass to `told`, and sums up idleness."""

    def __init__(self, told: list[Pass] | None = None) -> None:
        self.told = [] if told is None else told
        self.idle: Counter[Idle] = Counter()
        self.naps: Counter[Idle] = Counter()
        self.napped = Event()

    def passed(self, model: str, rows: int, possible: int, seconds: float) -> None:
        self.told.append(Pass(model, rows, possible, seconds))

    def idled(self, reason: Idle, seconds: float) -> None:
        self.idle[reason] += seconds  # type: ignore[assignment]
        self.naps[reason] += 1
        self.napped.set()
