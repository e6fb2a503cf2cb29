"""Real worker processes on the embedded model, one ledger and one folder between them: what a second brings."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis

from benchmarks.ledger.costs import RULES
from benchmarks.ledger.line import Line
from benchmarks.ledger.machine import processors
from benchmarks.ledger.meter import Cost, Reading
from darkroom.cli.config import as_environment
from darkroom.cli.processes import Child, stop_all
from darkroom.ledger.protocol import Ledger
from darkroom.ledger.redis import RedisLedger
from darkroom.settings import Settings
from worker.status import read_statuses, run_folder

TENANTS = 4
MODEL = "tiny"
ALWAYS_WAITING = 64  # jobs, so that nobody ever looks in vain
LOOK = 0.25
WARM_UP, WINDOW, READY = 8.0, 30.0, 180.0  # seconds


@dataclass(frozen=True)
class Pace:
    """Of so many workers: jobs a second over a window; the server's cost of one job, everything contained; seconds of
    all processors that a job took in the workers; and how busy this machine's processors were, all things on it."""

    workers: int
    jobs: int
    jobs_per_second: float
    cost: Cost
    worker_cpu_seconds: float
    machine_busy: float


class Crew:
    """Workers that share a home. One thread of torch each, so that one worker is the yardstick for several."""

    def __init__(self, url: str, home: Path) -> None:
        self._settings = Settings(home=home, redis_url=SecretStr(url), threads=1, standby=False, drain_seconds=1)
        self._home = home
        self._children: list[Child] = []

    async def grow(self, workers: int) -> None:
        """Return when so many are ready. Raises: TimeoutError."""
        environment = as_environment(self._settings)
        while len(self._children) < workers:
            child = Child(["worker"], environment, self._home / f"worker-{len(self._children)}.log")
            self._children.append(child)
            child.start()
            # One by one: the first makes what all of them find in their home.
            await self._ready(len(self._children))

    async def _ready(self, workers: int) -> None:
        async with asyncio.timeout(READY):
            while sum(each.state == "ready" for each in read_statuses(run_folder(self._home))) < workers:
                if any(child.returncode is not None for child in self._children):
                    raise RuntimeError(f"a worker ended: {self._children[-1].last_words()}")
                await asyncio.sleep(0.1)

    def cpu_seconds(self) -> float:
        """Of the processes that hold the models."""
        return sum(cpu_seconds(each.child_pid) for each in read_statuses(run_folder(self._home)) if each.child_pid)

    def stop(self) -> None:
        stop_all(self._children, 30)


@contextmanager
def crew(url: str, home: Path) -> Iterator[Crew]:
    home.mkdir(parents=True, exist_ok=True)
    hands = Crew(url, home)
    try:
        yield hands
    finally:
        hands.stop()


async def paces(url: str, home: Path, counts: tuple[int, ...], window: float = WINDOW) -> AsyncIterator[Pace]:
    """One after another on the same server, the workers of one count being among those of the next."""
    server = Redis.from_url(url, decode_responses=True)
    await server.flushall()
    ledger = RedisLedger(url, patience=60, rules=RULES)
    try:
        with crew(url, home) as hands:
            async with never_short(ledger):
                for workers in counts:
                    yield await _pace(server, ledger, hands, workers, window)
    finally:
        await ledger.close()
        await server.aclose()


@asynccontextmanager
async def never_short(ledger: Ledger) -> AsyncIterator[None]:
    """Jobs come as others leave."""

    async def feed() -> None:
        line = Line(TENANTS, models=(MODEL,))
        while True:
            waiting = (await ledger.waiting()).get(MODEL, 0)
            await line.fill(ledger, max(0, ALWAYS_WAITING - waiting))
            await asyncio.sleep(LOOK)

    feeding = asyncio.create_task(feed())
    try:
        yield
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding


async def _pace(server: Redis, ledger: RedisLedger, hands: Crew, workers: int, window: float) -> Pace:
    await hands.grow(workers)
    await asyncio.sleep(WARM_UP)
    ended = "{darkroom}:ended"
    before, cpu, machine, jobs = await Reading.of(server), hands.cpu_seconds(), processors(), await server.zcard(ended)
    began = time.monotonic()
    await asyncio.sleep(window)
    jobs, seconds = await server.zcard(ended) - jobs, time.monotonic() - began
    after, busy, total = (
        await Reading.of(server),
        *(now - then for now, then in zip(processors(), machine, strict=True)),
    )
    return Pace(
        workers=workers,
        jobs=jobs,
        jobs_per_second=round(jobs / seconds, 3),
        cost=Cost.between(before, after, max(1, jobs)),
        worker_cpu_seconds=round((hands.cpu_seconds() - cpu) / max(1, jobs), 3),
        machine_busy=round(busy / total, 3),
    )


def cpu_seconds(pid: int) -> float:
    """Of one process, by the kernel; 0 for one that is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
