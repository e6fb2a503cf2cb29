"""Starting a child: what it is told, what is heard from it, and how its life is tied to its supervisor's.

A new interpreter, never a fork, since CUDA does not survive one. The settings go through stdin as JSON, not through
arguments or the environment, where other processes could read their secrets.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from darkroom.lifeline import tie_to
from darkroom.settings import Settings
from darkroom.settings.telling import told
from worker.exits import ORPHANED
from worker.status import Pulse

CHILD = (sys.executable, "-P", "-m", "worker.child")  # -P: the current folder is not ours


@dataclass(frozen=True)
class Orders:
    """What a child must know: its settings, its name in the ledger, its supervisor, and the pipe for its pulses."""

    settings: Settings
    worker: str
    supervisor_pid: int
    pulse_fd: int

    def dumps(self) -> bytes:
        settings = {name: told(value) for name, value in self.settings.model_dump().items()}
        orders = {"worker": self.worker, "supervisor_pid": self.supervisor_pid, "pulse_fd": self.pulse_fd}
        return json.dumps({"settings": settings, **orders}).encode()

    @classmethod
    def loads(cls, data: bytes) -> "Orders":
        orders = json.loads(data)
        return cls(**{**orders, "settings": Settings(**orders["settings"])})


class ChildProcess:
    """A running child, in a session of its own: Ctrl-C in a terminal is for the supervisor, which then drains it."""

    def __init__(self, command: Sequence[str], settings: Settings, worker: str) -> None:
        self.worker = worker
        self.killed_for: str | None = None
        self._pipe, write_fd = os.pipe()
        os.set_blocking(self._pipe, False)
        self._unread = b""
        self._process = self._spawn(command, write_fd)
        os.close(write_fd)
        self._tell(Orders(settings, worker, os.getpid(), write_fd).dumps())

    def _spawn(self, command: Sequence[str], pulse_fd: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603  our own module
            command, stdin=subprocess.PIPE, pass_fds=(pulse_fd,), start_new_session=True
        )

    def begin(self) -> None:
        """Let it load models and work; until then it only waits."""
        self._tell(b"begin")

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # one that died at once says why by its exit code
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def pulses(self, wait: float) -> list[Pulse]:
        """What it said since the last call, after at most `wait` seconds; returns at once when it dies."""
        ready, _, _ = select.select([self._pipe], [], [], wait)
        data = os.read(self._pipe, 65536) if ready else b""
        if ready and not data:  # the other end is closed: it is dying, and select would not wait any more
            self._await_end(wait)
        *lines, self._unread = (self._unread + data).split(b"\n")
        return [Pulse.model_validate_json(line) for line in lines]

    def _await_end(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def ask_to_drain(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def kill(self, reason: str | None = None) -> None:
        """End it now; returns when it is dead."""
        self.killed_for = reason
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Give the pipes back. One that still waits to begin ends by this."""
        os.close(self._pipe)
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()


def die_with(supervisor_pid: int) -> None:
    """Have the kernel kill this process when its supervisor dies, however it dies.

    Elsewhere than on Linux the broken pulse pipe ends the child instead, within a beat.
    """
    if not tie_to(supervisor_pid)():
        raise SystemExit(ORPHANED)
