"""Whom the engine tells what it spends its time on."""

from typing import Literal, Protocol

Idle = Literal["work", "loading"]
"""What the device waits for."""


class Meter(Protocol):
    """Told on the engine's thread: answers must be quick and must not raise."""

    def passed(self, model: str, rows: int, possible: int, seconds: float) -> None:
        """A lane made a step: whose model, how many rows, how many it had room for."""
        ...

    def idled(self, reason: Idle, seconds: float) -> None:
        """The device had nothing to do."""
        ...


class Unmetered:
    """Listens to nothing."""

    def passed(self, model: str, rows: int, possible: int, seconds: float) -> None:
        pass

    def idled(self, reason: Idle, seconds: float) -> None:
        pass
