"""The process above the models: it starts the child, listens to its pulse, kills it when it hangs, starts the next.

It holds no model and no torch, so nothing that goes wrong in a GPU can take it along. A child that ends for any reason
but a drain is followed by another: the first at once, then ever more slowly until one has stayed up for a while.
"""

import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from uuid import uuid4

from darkroom.log import get_logger
from darkroom.settings import Settings
from worker.exits import MISCONFIGURED, NO_WEIGHTS, STOPPED, in_words
from worker.launch import CHILD, ChildProcess
from worker.standby import Standby
from worker.status import Pulse, StatusFile, run_folder

log = get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """Patience, in seconds."""

    loading: float = 600.0  # weights from a cold disk
    standby_after: float = 5.0  # of readiness
    silence: float = 60.0  # no pulse at all: something holds the interpreter
    step_factor: float = 3.0  # times the predicted step
    step_floor: float = 30.0  # but never less: first passes compile, neighbours steal the CPU
    drain_margin: float = 7.0  # beyond the drain itself
    steady: float = 60.0  # a child that lived this long was no crash loop
    retry_weights: float = 30.0
    retry_most: float = 60.0
    tick: float = 0.5


@dataclass
class Vigil:
    """What is known of a child that has begun. Times by CLOCK_MONOTONIC; `ready_since` is None while it is not."""

    born_at: float
    heard_at: float
    pulse: Pulse = field(default_factory=lambda: Pulse(state="loading"))
    ready_since: float | None = None

    def hear(self, pulses: Sequence[Pulse], now: float) -> None:
        for pulse in pulses:
            self.heard_at = now
            if pulse.state != "standby":  # said before it was told to begin
                self.pulse = pulse
        if self.pulse.state != "ready":
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = now

    def overdue(self, now: float, limits: Limits) -> str | None:
        """Why the child must be killed, or None."""
        if self.pulse.state == "loading":  # its own work; what it is "waiting" for is away for as long as it is
            return "loading takes too long" if now - self.born_at > limits.loading else None
        if now - self.heard_at > limits.silence:
            return "no pulse"
        allowed = max(limits.step_floor, limits.step_factor * self.pulse.step_seconds)
        if self.pulse.step_at is not None and now - self.pulse.step_at > allowed:
            return "a step takes too long"
        return None


class Supervisor:
    """Keeps one child alive until told to stop. `bury` is called with the worker name of each child that crashed, and
    how it did."""

    def __init__(
        self,
        settings: Settings,
        *,
        bury: Callable[[str, str], None],
        command: Sequence[str] = CHILD,
        limits: Limits | None = None,
    ) -> None:
        self._settings = settings
        self._bury = bury
        self._command = command
        self._limits = limits or Limits()
        self._status = StatusFile(run_folder(settings.home_folder))
        self._stopping = False
        self._crashes = 0
        self._standby = Standby(self._start_child, self._limits.standby_after if settings.standby else None)

    def stop(self, signum: int = signal.SIGTERM, frame: FrameType | None = None) -> None:
        """Drain the child and end. Fit for a signal handler."""
        self._stopping = True

    def run(self) -> int:
        """Returns the exit code of this process: 0 after a drain, 78 when the child refused its configuration."""
        try:
            while True:
                code = self._raise_child()
                if self._stopping:
                    return STOPPED
                if code == MISCONFIGURED:
                    return code
                self._rest(self._delay(code))
                if self._stopping:
                    return STOPPED
        finally:
            self._standby.end()
            self._status.remove()

    def _start_child(self) -> ChildProcess:
        return ChildProcess(self._command, self._settings, f"{socket.gethostname()}-{uuid4().hex[:12]}")

    def _raise_child(self) -> int:
        """Live with one child from its beginning to its end; its exit code, negative for a signal."""
        now = time.monotonic()
        vigil = Vigil(born_at=now, heard_at=now)
        child = self._standby.take()
        try:
            child.begin()
            log.info("worker.child_started", worker=child.worker, child_pid=child.pid)
            code = self._watch(child, vigil)
        except BaseException:
            child.kill()
            raise
        finally:
            child.close()
        if time.monotonic() - vigil.born_at > self._limits.steady:
            self._crashes = 0
        if code not in self._good_ends():
            self._mourn(child, code)
        return code

    def _watch(self, child: ChildProcess, vigil: Vigil) -> int:
        kill_at = None
        while (code := child.returncode) is None:
            vigil.hear(child.pulses(self._limits.tick), time.monotonic())
            self._standby.tend(vigil.ready_since)
            self._status.write(child.worker, child.pid, vigil.pulse, standby=self._standby.ready)
            if self._stopping and kill_at is None:
                kill_at = time.monotonic() + self._settings.drain_seconds + self._limits.drain_margin
                child.ask_to_drain()
            self._kill_if_late(child, vigil.overdue(time.monotonic(), self._limits), kill_at)
        vigil.hear(child.pulses(0), time.monotonic())
        last = vigil.pulse
        dead = last if last.state == "failed" else Pulse(state="loading", detail=f"the child ended with {code}")
        self._status.write(child.worker, None, dead)
        return code

    def _kill_if_late(self, child: ChildProcess, why: str | None, kill_at: float | None) -> None:
        if kill_at is not None and time.monotonic() > kill_at:
            why = "draining takes too long"
        if why is not None:
            log.error("worker.child_killed", worker=child.worker, reason=why)
            child.kill(f"child killed: {why}")

    def _good_ends(self) -> tuple[int, ...]:
        """While a child loads, SIGTERM simply ends it: it holds no jobs yet."""
        return (STOPPED, -signal.SIGTERM) if self._stopping else (STOPPED,)

    def _mourn(self, child: ChildProcess, code: int) -> None:
        self._crashes += 1
        if code not in (NO_WEIGHTS, MISCONFIGURED):  # those have told the reason themselves
            log.error("worker.child_died", worker=child.worker, code=code)
        self._bury(child.worker, child.killed_for or in_words(code))

    def _delay(self, code: int) -> float:
        """Seconds before the next child: none after a first crash, for its jobs wait."""
        if code == NO_WEIGHTS:
            return self._limits.retry_weights
        return min(self._limits.retry_most, 2.0 ** (self._crashes - 2)) if self._crashes > 1 else 0.0

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, self._limits.tick))


def install_signals(supervisor: Supervisor) -> None:
    """SIGTERM and SIGINT drain. Only in the main thread; a caller in another thread calls `stop` itself."""
    with suppress(ValueError):
        signal.signal(signal.SIGTERM, supervisor.stop)
        signal.signal(signal.SIGINT, supervisor.stop)
