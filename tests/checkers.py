"""Checkers that say what they are told to, of words and of pictures alike."""

from collections.abc import Callable, Mapping
from typing import Any

from darkroom.errors import SafetyUnavailable
from darkroom.metrics import Metrics
from darkroom.safety.judging import Thresholds
from darkroom.safety.protocol import Scores
from darkroom.safety.screening import Screen
from darkroom.safety.words import WordScreen

SEXUAL, CLEAN = {"sexual": 0.93}, {"sexual": 0.02}


class Scripted:
    """`finds` is what it finds in everything, or says what it finds in one thing. `broken`: it does not answer."""

    version = "0" * 64

    def __init__(self, finds: Scores | Callable[[Any], Scores] = CLEAN, name: str = "scripted") -> None:
        self.name = name
        self.broken = False
        self.seen: list[Any] = []
        self._finds = finds

    def scores(self, seen: Any) -> Scores:
        self.seen.append(seen)
        if self.broken:
            raise SafetyUnavailable(f"the safety checker {self.name} gave no answer")
        return self._finds if isinstance(self._finds, Mapping) else self._finds(seen)


def wicked(text: str) -> Scores:
    """Of words: whether they are."""
    return SEXUAL if "wicked" in text else CLEAN


def screen(*checkers: Scripted, metrics: Metrics | None = None, **thresholds: float) -> Screen[Any]:
    return Screen(checkers, Thresholds(thresholds), metrics or Metrics())


def words(*checkers: Scripted, metrics: Metrics | None = None) -> WordScreen:
    return WordScreen(screen(*checkers, metrics=metrics))
