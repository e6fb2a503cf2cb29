"""The next child, started before it is needed: its libraries are loaded, it holds no model and touches no device.

Loading torch and diffusers takes most of the time it takes to replace a child that died.
"""

import time
from collections.abc import Callable

from worker.launch import ChildProcess


class Standby:
    """`start` makes a child that waits. One is kept once a worker has been ready for `delay` seconds, so that it does
    not compete with the first jobs; None for `delay` keeps none."""

    def __init__(self, start: Callable[[], ChildProcess], delay: float | None) -> None:
        self._start = start
        self._delay = delay
        self._not_before = 0.0
        self._child: ChildProcess | None = None
        self.ready = False

    def tend(self, ready_since: float | None) -> None:
        """Start, hear or give up the waiting child; to be called often. Times are by CLOCK_MONOTONIC."""
        if self._child is not None:
            self._hear(self._child)
        elif self._due(ready_since):
            self._child = self._start()

    def _due(self, ready_since: float | None) -> bool:
        if self._delay is None or ready_since is None:
            return False
        return time.monotonic() > max(ready_since + self._delay, self._not_before)

    def _hear(self, child: ChildProcess) -> None:
        if child.returncode is not None:
            self.end()
            self._not_before = time.monotonic() + 60.0  # whatever ended it would end the next one, too
        elif any(pulse.state == "standby" for pulse in child.pulses(0)):
            self.ready = True

    def take(self) -> ChildProcess:
        """The waiting child, or one started now. The caller lets it begin."""
        child, self._child, self.ready = self._child, None, False
        if child is not None and child.returncode is None:
            return child
        if child is not None:
            child.close()
        return self._start()

    def end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.close()
        self._child, self.ready = None, False
