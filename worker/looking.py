"""When a worker looks for more work: the more workers there are, the more seldom each looks in vain.

One that has room looks at every step. With nobody in line it would do so in vain, a thousand of them ten thousand times
a second, and as often for maps. So after a look in vain each waits for as long as keeps all of them together at `looks`
a second: a job that comes is still seen within milliseconds, by one or another. Up to five look as often as one.
Who has just ended something, or makes nothing, looks at once: only then is a device about to idle. So does who is
called, by a bell or a sweep that found somebody waiting.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence


class Looking:
    """`least` is the time between two looks that is kept anyway, in seconds; pauses no longer than it are none. `dice`:
    a number between two."""

    def __init__(
        self,
        least: float,
        looks: float,
        clock: Callable[[], float] = time.monotonic,
        dice: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._least = least
        self._looks = looks
        self._clock = clock
        self._dice = dice
        self._workers: Mapping[str, int] = {}
        self._not_before: dict[tuple[str, ...], float] = {}
        self._making = 0
        self._called = False

    def beside(self, workers: Mapping[str, int]) -> None:
        """Note how many serve each model."""
        self._workers = workers

    def making(self, jobs: int) -> None:
        """Note how many jobs are being made: with fewer than before, or none, it is time to look."""
        if jobs < self._making or not jobs:
            self.anew()
        self._making = jobs

    def took(self, jobs: int) -> None:
        """Note that so many more are being made, so that one which ends beside them is missed."""
        self._making += jobs

    def anew(self) -> None:
        """Somebody is known to wait, perhaps only since the look that is under way."""
        self._not_before.clear()
        self._called = True

    def due(self, models: Sequence[str]) -> bool:
        """Whether it is time to look for jobs of these, which is then done."""
        self._called = False
        return self._clock() >= self._not_before.get(tuple(models), 0.0)

    def in_vain(self, models: Sequence[str]) -> None:
        """Note that nobody waited for these. Where one of them is served by few, it is those few that set the pace.

        Pauses differ by half: workers that looked together, as all do when the ledger is back, must not go on so.
        """
        pause = (min(self._workers.get(model, 1) for model in models) - 1) / self._looks
        if pause > self._least and not self._called:
            self._not_before[tuple(models)] = self._clock() + pause * self._dice(0.5, 1.5)

    def seconds_between(self, least: float, most_together: float) -> float:
        """How often this one does what all of them do for all: `least`, or as seldom as keeps them at `most_together` a
        second."""
        return max(least, max(self._workers.values(), default=1) / most_together)
