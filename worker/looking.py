"""When a worker looks for more work: the more workers there are, the more seldom each looks in vain.

One that has room looks at every step. With nobody in line it would do so in vain, a thousand of them ten thousand times
a second, and as often for maps. So after a look in vain each waits for as long as keeps all of them together at `looks`
a second: a job that comes is still seen within milliseconds, by one or another. Up to five look as often as one.
Who has just ended something, or holds nothing, looks at once: only then is a device about to idle.
"""

import time
from collections.abc import Callable, Mapping, Sequence


class Looking:
    """`least` is the time between two looks that is kept anyway, in seconds; pauses no longer than it are none."""

    def __init__(self, least: float, looks: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._least = least
        self._looks = looks
        self._clock = clock
        self._workers: Mapping[str, int] = {}
        self._not_before: dict[tuple[str, ...], float] = {}
        self._held = 0

    def beside(self, workers: Mapping[str, int]) -> None:
        """Note how many serve each model."""
        self._workers = workers

    def holding(self, jobs: int) -> None:
        """Note how many jobs are in hand: with fewer than before, or none, it is time to look."""
        if jobs < self._held or not jobs:
            self.anew()
        self._held = jobs

    def anew(self) -> None:
        """Somebody is known to wait."""
        self._not_before.clear()

    def due(self, models: Sequence[str]) -> bool:
        """Whether it is time to look for jobs of these."""
        return self._clock() >= self._not_before.get(tuple(models), 0.0)

    def in_vain(self, models: Sequence[str]) -> None:
        """Note that nobody waits for these. Where one of them is served by few, it is those few that set the pace."""
        pause = (min(self._workers.get(model, 1) for model in models) - 1) / self._looks
        if pause > self._least:
            self._not_before[tuple(models)] = self._clock() + pause

    def seconds_between(self, least: float, most_together: float) -> float:
        """How often this one does what all of them do for all: `least`, or as seldom as keeps them at `most_together` a
        second."""
        return max(least, max(self._workers.values(), default=1) / most_together)
