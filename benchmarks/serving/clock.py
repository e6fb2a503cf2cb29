"""Time that only work moves.

Servers are compared on a virtual clock. It advances by the CPU time of this thread while a server works, and jumps over
the time in which it has nothing to do: so other load on the machine is unfair to none, and idling costs no real time.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """`now` and `busy` in seconds; `now` includes the idle time jumped over, `busy` does not."""

    def __init__(self) -> None:
        self.now = 0.0
        self.busy = 0.0

    @contextmanager
    def working(self) -> Iterator[None]:
        began = time.thread_time()
        yield
        spent = time.thread_time() - began
        self.now += spent
        self.busy += spent

    def jump(self, until: float) -> None:
        """Idle until then; nothing if that is past."""
        self.now = max(self.now, until)
