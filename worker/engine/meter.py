"""Whom the engine tells what it spends its time on."""

from typing import Literal, Protocol

from worker.engine.request import Work

Idle = Literal["work", "loading"]
"""What the device waits for."""


Part = Literal["encode_words", "encode_picture", "denoise", "decode"]
"""What is done for a work: its words and pictures are read, and each of its images is made."""


class Meter(Protocol):
    """Told on the engine's thread: answers must be quick and must not raise."""

    def passed(self, model: str, rows: int, possible: int, seconds: float) -> None:
        """A lane made a step: whose model, how many rows, how many it had room for."""
        ...

    def idled(self, reason: Idle, seconds: float) -> None:
        """The device had nothing to do."""
        ...

    def spent(self, work: Work, part: Part, seconds: float, index: int | None = None) -> None:
        """A part of a work, or of image `index` of it, has just been done. Others' parts may lie between."""
        ...


class Unmetered:
    """Listens to nothing."""

    def passed(self, model: str, rows: int, possible: int, seconds: float) -> None:
        pass

    def idled(self, reason: Idle, seconds: float) -> None:
        pass

    def spent(self, work: Work, part: Part, seconds: float, index: int | None = None) -> None:
        pass
