"""A worker that crashes by plan: the product's supervisor, whose children are armed one after the other.

    python -m tests.chaos.crashing SEED SHARE forked|fresh [POINT:N...]

The first children are armed as the last arguments say. Of those after them, `SHARE` are armed at a point and pass drawn
from the seed; the others wait to be killed from outside. It
notes births and deaths in `DARKROOM_HOME/lives.jsonl`: who, when, armed how, ended how, holding which jobs. Once there
is a file `DARKROOM_HOME/calm`, nobody is armed any more.
"""

import asyncio
import functools
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from botocore.loaders import JSONFileLoader

from darkroom.errors import LedgerUnavailable
from darkroom.ledger.redis import RedisLedger
from darkroom.log import configure_logging
from darkroom.services import build_worker_services
from darkroom.services.configuration import load_settings
from darkroom.settings import Settings
from worker.launch import CHILD, ChildProcess
from worker.supervisor import Limits, Supervisor, install_signals

# How many passes of a point a child makes at most; some jobs must get through between two deaths.
POINTS = {"after_claim": 5, "mid_step": 20, "after_watermark": 7, "after_upload": 7, "after_finish": 7}
# No crash loop here: that children die is the point.
LIMITS = Limits(steady=0.0, standby_after=0.5, tick=0.1)


class CrashingSupervisor(Supervisor):
    """Arms each child by the next draw of its own generator."""

    def __init__(
        self, settings: Settings, draws: random.Random, share: float, kind: type[ChildProcess], first: Sequence[str]
    ) -> None:
        super().__init__(settings, bury=self._bury_and_note, limits=LIMITS)
        self._armable = settings
        self._draws = draws
        self._share = share
        self._first = list(first)
        self._kind = kind
        self._calm = settings.home_folder / "calm"
        self._lives = settings.home_folder / "lives.jsonl"

    def _start_child(self) -> ChildProcess:
        crash_at = self._first.pop(0) if self._first else self._drawn()
        name = f"chaos-{uuid4().hex[:12]}"
        child = self._kind(CHILD, self._armable.model_copy(update={"crash_at": crash_at}), name)
        self._note(worker=name, event="born", supervisor=os.getpid(), pid=child.pid, crash_at=crash_at)
        return child

    def _drawn(self) -> str | None:
        point = self._draws.choice(sorted(POINTS))
        at = f"{point}:{self._draws.randint(1, POINTS[point])}"
        return at if self._draws.random() < self._share and not self._calm.exists() else None

    def _mourn(self, child: ChildProcess, code: int) -> None:
        self._note(worker=child.worker, event="died", code=code)
        super()._mourn(child, code)

    def _bury_and_note(self, worker: str, how: str) -> None:
        try:
            jobs = list(asyncio.run(_abandoned(self._armable, worker, how)))
        except LedgerUnavailable:
            return  # nobody knows which they were: their leases run out
        self._note(worker=worker, event="buried", jobs=jobs)

    def _note(self, **what: Any) -> None:
        with self._lives.open("a") as lives:
            lives.write(json.dumps({"at": time.time(), **what}) + "\n")


async def _abandoned(settings: Settings, worker: str, how: str) -> tuple[str, ...]:
    ledger = RedisLedger.from_settings(settings)
    try:
        return await ledger.abandon(worker, how)
    finally:
        await ledger.close()


def _kind(name: str, settings: Settings) -> type[ChildProcess]:
    if name == "fresh":
        return ChildProcess
    import worker.threads  # noqa: F401  loads torch, once for all children
    from tests.chaos.forking import ForkedChild

    read = functools.cache(JSONFileLoader().load_file)  # boto3's tables, half a second of each child
    JSONFileLoader.load_file = lambda _, path: read(path)
    build_worker_services(settings)  # and so are libraries that load when they are first used
    return ForkedChild


def main(seed: str, share: str, kind: str, *first: str) -> int:
    settings = load_settings()
    configure_logging(service="worker", log_format=settings.log_format, level=settings.log_level)
    supervisor = CrashingSupervisor(settings, random.Random(seed), float(share), _kind(kind, settings), first)
    install_signals(supervisor)
    return supervisor.run()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
