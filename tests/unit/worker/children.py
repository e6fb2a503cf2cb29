"""Children for a supervisor that need no torch: short scripts that read their orders and do as they are told."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from darkroom.settings import Settings
from worker.status import Status, read_statuses, run_folder
from worker.supervisor import Limits, Supervisor

HEAD = """
import json, os, signal, sys, time
orders = json.loads(sys.stdin.readline())
def say(**pulse):
    os.write(orders["pulse_fd"], json.dumps(pulse).encode() + b"\\n")
def count():
    with open(os.path.join(orders["settings"]["home"], "births"), "a") as births:
        births.write(orders["worker"] + "\\n")
    return len(open(births.name).readlines())
say(state="standby")
sys.stdin.readline() or sys.exit(75)
born = count()
"""

READY_UNTIL_TERM = """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
say(state="ready")
while True:
    time.sleep(0.02)
"""

LIMITS = Limits(
    loading=10.0,
    standby_after=600.0,
    silence=10.0,
    step_floor=0.05,
    drain_margin=0.1,
    retry_weights=0.05,
    retry_most=0.05,
    tick=0.01,
)


def children() -> set[int]:
    """Processes started by any thread of this one."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found.update(int(pid) for pid in (task / "children").read_text().split())
    return found


class Watch:
    """A supervisor in a thread of its own."""

    def __init__(self, script: str, settings: Settings, limits: Limits) -> None:
        self.settings = settings
        self._strangers = children()
        self.buried: list[str] = []
        self.causes: list[str] = []
        self.code: int | None = None
        command = (sys.executable, "-S", "-E", "-c", HEAD + script)
        self.supervisor = Supervisor(settings, bury=self._bury, command=command, limits=limits)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _bury(self, worker: str, how: str) -> None:
        self.buried.append(worker)
        self.causes.append(how)

    def _run(self) -> None:
        self.code = self.supervisor.run()

    def births(self) -> list[str]:
        births = self.settings.home / "births"
        return births.read_text().split() if births.exists() else []

    def status(self) -> Status | None:
        statuses = read_statuses(run_folder(self.settings.home_folder))
        return statuses[0] if statuses else None

    def is_in(self, state: str) -> bool:
        status = self.status()
        return status is not None and status.state == state

    def has_standby(self) -> bool:
        status = self.status()
        return status is not None and status.standby

    def child_pid(self) -> int:
        """The child that works."""
        status = self.status()
        assert status is not None
        assert status.child_pid is not None
        return status.child_pid

    def processes(self) -> set[int]:
        """All that it has started and that have not ended."""
        return children() - self._strangers

    def end(self, seconds: float = 10.0) -> int | None:
        """The exit code, once it has ended by itself or was told to."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the supervisor did not end"
        return self.code


@contextmanager
def supervising(home: Path, script: str, *, limits: Limits = LIMITS, **settings: Any) -> Iterator[Watch]:
    watch = Watch(script, Settings(**{"home": home, "drain_seconds": 5.0, **settings}), limits)
    try:
        yield watch
    finally:
        watch.supervisor.stop()
        watch.end()
