"""When workers had room: a job that died waits for one, and what it waits for that is no slowness of anybody's."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field


@dataclass
class Room:
    """`without`: from when until when no worker was there that held nothing, which is what a job that is tried again
    alone needs.
    """

    without: list[tuple[float, float]] = field(default_factory=list)
    _since: float | None = None

    def note(self, now: float, ready: AbstractSet[str], holding: AbstractSet[str]) -> None:
        """`ready`: workers that would take work; `holding`: those that have some."""
        if ready - holding:
            if self._since is not None:
                self.without.append((self._since, now))
            self._since = None
        elif self._since is None:
            self._since = now


def together(began: float, ended: float, spans: Iterable[tuple[float, float]]) -> float:
    """Seconds of these spans between two moments."""
    return sum(max(0.0, min(ended, until) - max(began, since)) for since, until in spans)
