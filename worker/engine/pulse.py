"""What a watcher outside the process needs to tell slow from stuck."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Heartbeat:
    """`at` is when the running operation began, by CLOCK_MONOTONIC; None while there is none.

    `expected` is how many seconds it should take.
    """

    at: float | None
    expected: float


# Told of seconds that the running operation will take beyond those announced before. A step may be many passes and a
# picture many attempts, and a device may take them all in before it has done the first, so they are added up.
Expect = Callable[[float], None]

IDLE = Heartbeat(at=None, expected=0.0)


def begin(expected: float = 0.0) -> Heartbeat:
    return Heartbeat(at=time.monotonic(), expected=expected)


def unwatched(_seconds: float) -> None:
    """For those whom nobody waits for."""


class Pace:
    """Seconds of one operation by its size, learned as it runs. Sizes never seen are scaled from the nearest one."""

    FORGET = 0.3  # weight of the newest measurement

    def __init__(self, first_guess: float) -> None:
        """`first_guess`: seconds at size 1."""
        self._guess = first_guess
        self._known: dict[int, float] = {}

    def learn(self, size: int, seconds: float) -> None:
        before = self._known.get(size, seconds)
        self._known[size] = before + self.FORGET * (seconds - before)

    def expect(self, size: int) -> float:
        """Seconds expected at `size`."""
        if not self._known:
            return self._guess * size
        nearest = min(self._known, key=lambda known: abs(known - size))
        return self._known[nearest] * max(1.0, size / nearest)
