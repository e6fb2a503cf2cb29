"""What a worker says of itself: to its supervisor through a pipe, and to probes through a file.

The child writes one `Pulse` a line into a pipe; the supervisor keeps the newest as a `Status` in the run folder, where
health probes and `darkroom up` read it. Nothing here imports torch.
"""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from darkroom.contract.base import Settled

State = Literal["standby", "loading", "waiting", "ready", "stalled", "draining", "failed", "stopped"]


class Pulse(Settled):
    """One heartbeat. `step_at` is when the running step began, by CLOCK_MONOTONIC, which all processes of a machine
    share; None while the engine idles. `step_seconds` is how long that step should take."""

    state: State
    detail: str = ""
    step_at: float | None = None
    step_seconds: float = 0.0


class Status(Settled):
    """The state of one worker, as its supervisor last heard it. `standby`: the next child waits already. `at` is in
    Unix seconds."""

    worker: str
    state: State
    detail: str
    standby: bool
    host: str
    pid: int
    child_pid: int | None
    at: float

    @property
    def alive(self) -> bool:
        """Whether the supervisor that wrote this still runs; always true for another host, which cannot be asked."""
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class StatusFile:
    """One worker's status in the run folder, replaced whole so that a reader never sees half of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_dead(folder)
        self.path = folder / f"worker-{socket.gethostname()}-{os.getpid()}.json"
        self._written: tuple[object, ...] = ()

    def write(self, worker: str, child_pid: int | None, pulse: Pulse, *, standby: bool = False) -> None:
        """Does nothing while nothing a reader would see has changed."""
        news = (worker, child_pid, pulse.state, pulse.detail, standby)
        if news == self._written:
            return
        self._written = news
        status = Status(
            worker=worker,
            state=pulse.state,
            detail=pulse.detail,
            standby=standby,
            host=socket.gethostname(),
            pid=os.getpid(),
            child_pid=child_pid,
            at=time.time(),
        )
        draft = self.path.with_suffix(".tmp")
        draft.write_text(status.model_dump_json())
        draft.replace(self.path)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def run_folder(home: Path) -> Path:
    return home / "run"


def read_statuses(folder: Path) -> list[Status]:
    """The workers of this run folder whose supervisor lives."""
    return [status for _, status in _read_all(folder) if status.alive]


def _forget_dead(folder: Path) -> None:
    """A supervisor that was killed leaves its file behind; the next one here clears it away."""
    for path, status in _read_all(folder):
        if not status.alive:
            path.unlink(missing_ok=True)


def _read_all(folder: Path) -> Iterator[tuple[Path, Status]]:
    for path in sorted(folder.glob("worker-*.json")):
        try:
            yield path, Status.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            continue
