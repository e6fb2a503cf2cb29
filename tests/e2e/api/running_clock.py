"""A clock that stands still while the machine lets none of us run: what that takes is no slowness of the service."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TICK = 0.005


class RunningClock:
    """A thread of it only sleeps: by as much as it oversleeps, the process was held up. Blocking calls and waits do not
    hold that thread up, so they count.
    """

    def __init__(self) -> None:
        self._noted = (0.0, time.monotonic())  # overslept until then, when it last woke

    @contextmanager
    def going(self) -> Iterator[None]:
        over = threading.Event()
        self._noted = (self._noted[0], time.monotonic())
        watching = threading.Thread(target=self._watch, args=(over,))
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(TICK):
            self._noted = (self._overslept(), time.monotonic())

    def _overslept(self) -> float:
        """A pause that has just ended may be seen here before the thread is awake."""
        before, woke = self._noted
        return before + max(0.0, time.monotonic() - woke - 2 * TICK)

    def now(self) -> float:
        """Seconds, to be compared with one another while it goes."""
        return time.monotonic() - self._overslept()
