"""Who takes part in the next step. Pure: no clock, no torch."""

from collections.abc import Sequence
from math import inf
from typing import Protocol, TypeVar

# Steps of its lane a candidate may be passed over before it goes first, in order of arrival.
PATIENCE = 64


class Candidate(Protocol):
    """An image that wants to take a step."""

    passed_over: int

    @property
    def arrival(self) -> int:
        """Its number in order of admission."""
        ...

    @property
    def rows(self) -> int:
        """Rows it needs in a pass."""
        ...

    @property
    def remaining(self) -> int:
        """Steps it still has to take."""
        ...

    @property
    def deadline(self) -> float | None:
        """Unix seconds."""
        ...


C = TypeVar("C", bound=Candidate)


def choose(candidates: Sequence[C], most_rows: int) -> list[C]:
    """Those that take the next step together, and count the others as passed over.

    Earliest deadline first, then least remaining work, which is best for mean latency; whoever was passed over for
    long goes before both, oldest first, so that a stream of short works cannot starve a long one. Being left out of a
    step costs nothing: latents just stay where they are.
    """
    chosen: list[C] = []
    free = most_rows
    for candidate in sorted(candidates, key=_urgency):
        if candidate.rows <= free:
            chosen.append(candidate)
            free -= candidate.rows
        else:
            candidate.passed_over += 1
    return chosen


def _urgency(candidate: Candidate) -> tuple[bool, float, int, int]:
    if candidate.passed_over > PATIENCE:
        return (False, 0.0, 0, candidate.arrival)
    deadline = inf if candidate.deadline is None else candidate.deadline
    return (True, deadline, candidate.remaining, candidate.arrival)
