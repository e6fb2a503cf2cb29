"""Workers one after the other in one process, so that torch is loaded once: each SIGTERM rolls out the next.

    python -m tests.e2e.worker.rolling WORKERS [STEP | checker]

The last worker's end is the end of the process. With STEP, that many forward passes of a child succeed and the next
one hangs, as a kernel does that never returns; with `checker`, the first picture that is looked at keeps whoever looks.
Once only, noted in `DARKROOM_HOME/hung`.
"""

import functools
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.loaders import JSONFileLoader

import worker.threads  # noqa: F401  loads torch
from darkroom.log import configure_logging
from darkroom.services import build_worker_services
from darkroom.services.configuration import load_settings
from tests.chaos.forking import ForkedChild
from worker import screening
from worker.engine import forward
from worker.launch import CHILD, ChildProcess
from worker.main import _bury
from worker.supervisor import Limits, Supervisor, install_signals

LIMITS = Limits(step_floor=2.0, tick=0.05)


class ForkingSupervisor(Supervisor):
    """The product's, but for where its children come from."""

    def _start_child(self) -> ChildProcess:
        return ForkedChild(CHILD, self._settings, f"{socket.gethostname()}-{uuid4().hex[:12]}")


def hanging(denoise: Callable[..., Any], passes: int, mark: Path) -> Callable[..., Any]:
    made = 0

    def run(*arguments: Any, **named: Any) -> Any:
        nonlocal made
        made += 1
        if made > passes and not mark.exists():
            mark.write_text(str(os.getpid()))
            time.sleep(3600)
        return denoise(*arguments, **named)

    return run


class Watching:
    """A checker that finds nothing, and never says so of the first picture."""

    name, version = "watching", "0" * 64

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def scores(self, rgb_HWC: Any) -> dict[str, float]:
        if not self._mark.exists():
            self._mark.write_text(str(os.getpid()))
            time.sleep(3600)
        return {}


def watch(mark: Path) -> None:
    screening.picture_checkers = lambda _: (Watching(mark),)
    screening.finishing_threads = lambda **_: 1
    screening.HUNG_SECONDS = 1.0


def main(workers: str, what: str = "") -> int:
    settings = load_settings()
    configure_logging(service="worker", log_format=settings.log_format, level=settings.log_level)
    read = functools.cache(JSONFileLoader().load_file)
    JSONFileLoader.load_file = lambda _, path: read(path)
    build_worker_services(settings)
    mark = settings.home_folder / "hung"
    if what == "checker":
        watch(mark)
    elif what:
        forward.denoise = hanging(forward.denoise, int(what), mark)
    code = 0
    for _ in range(int(workers)):
        supervisor = ForkingSupervisor(settings, bury=lambda worker, how: _bury(settings, worker, how), limits=LIMITS)
        install_signals(supervisor)
        code = code or supervisor.run()
    return code


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
