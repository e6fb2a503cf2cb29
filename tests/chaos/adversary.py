"""Who kills, stops and cuts, by a plan drawn from the seed: one blow at a time. Children armed at crash points fall
besides."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.stage import Process, Stage
from tests.servers.tcp_proxy import TcpProxy
from worker.status import read_statuses, run_folder

STOPPED_SECONDS = 18.0  # longer than a lease
READY = 3
READY_SECONDS = 60.0
BUSY_SECONDS = 2.0
PAUSE_SECONDS = (0.2, 1.2)
FAULT_SECONDS = (0.3, 2.5)


@dataclass(frozen=True)
class Quota:
    """How many of each, at least. Workers' kills at crash points count; the rest of them comes from outside."""

    workers: int = 200
    gateways: int = 5
    redis: int = 5
    couriers: int = 5


@dataclass
class Adversary:
    """`held_by` says which open jobs a worker holds. `deaths`: (when, jobs) of supervisors killed with their child.
    `outages`: when Redis was made to go, and to come back."""

    stage: Stage
    draws: random.Random
    quota: Quota
    held_by: Callable[[str], Awaitable[list[str]]]
    deaths: list[tuple[float, list[str]]] = field(default_factory=list)
    blows: dict[str, int] = field(default_factory=dict)
    outages: list[tuple[float, float]] = field(default_factory=list)
    stopped: int = 0
    _frozen: dict[str, float] = field(default_factory=dict)

    def plan(self) -> list[str]:
        """Everything rarer than the kill of a child, in an order of the seed's, between kills of children."""
        quota = self.quota
        wanted = {
            "gateway": quota.gateways,
            "redis": quota.redis,
            "courier": quota.couriers,
            "supervisor": max(3, quota.workers // 20),
            "freeze": max(2, quota.workers // 100),
            "redis_fault": max(3, quota.redis),
            "store_fault": max(3, quota.redis),
        }
        rare = [name for name, number in wanted.items() for _ in range(number)]
        plan = rare + ["child"] * max(len(rare), quota.workers // 4)
        self.draws.shuffle(plan)
        return plan

    async def run(self) -> None:
        """The plan, then more of what there was too little of: a blow may meet who is dead already, or idle."""
        for blow in self.plan():
            await self._strike(blow)
        while (wanting := self._wanting()) is not None:
            await self._strike(wanting)

    def _wanting(self) -> str | None:
        """A blow of which the quota is not reached yet."""
        quota, stage = self.quota, self.stage
        reached = {
            "gateway": sum(gateway.killed for gateway in stage.gateways) >= quota.gateways,
            "courier": sum(courier.killed for courier in stage.couriers) >= quota.couriers,
            "redis": stage.redis_kills >= quota.redis,
            "child": self.worker_kills() >= quota.workers,
        }
        return next((blow for blow, enough in reached.items() if not enough), None)

    async def _strike(self, blow: str) -> None:
        await asyncio.sleep(self.draws.uniform(*PAUSE_SECONDS))
        strike: Callable[[], Awaitable[None]] = getattr(self, f"_{blow}")
        self.blows[blow] = self.blows.get(blow, 0) + 1
        await strike()

    async def keep_alive(self) -> None:
        """Start again whatever has ended, as an orchestrator does, until cancelled."""
        while True:
            for process in self.stage.processes:
                process.revive()
            await asyncio.sleep(0.1)

    def worker_kills(self) -> int:
        """Children dead by SIGKILL, by their own hand or ours, and supervisors killed with theirs."""
        lives = self.stage.lives()
        children = sum(life["event"] == "died" and life["code"] == -signal.SIGKILL for life in lives)
        return children + sum(worker.killed for worker in self.stage.workers)

    # --- blows -------------------------------------------------------------------------------------------------------

    async def _gateway(self) -> None:
        await asyncio.to_thread(self.draws.choice(self.stage.gateways).kill)

    async def _courier(self) -> None:
        await asyncio.to_thread(self.draws.choice(self.stage.couriers).kill)

    async def _redis(self) -> None:
        began = time.time()
        self.stage.kill_redis()  # here, on the thread that lives as long as the server must
        self.outages.append((began, time.time()))

    async def _child(self) -> None:
        """At a random instant of a worker that has work, if one can be found."""
        until = time.monotonic() + BUSY_SECONDS
        while (found := await self._busy()) is None and time.monotonic() < until:
            await asyncio.sleep(0.02)
        if found is not None:
            await asyncio.sleep(self.draws.uniform(0.0, 0.4))
            with suppress(ProcessLookupError):
                os.kill(found["pid"], signal.SIGKILL)

    async def _supervisor(self) -> None:
        await self._others_ready()
        worker = self.draws.choice(self.stage.workers)
        child = self.stage.child_of(worker)
        died_at = time.time()
        await asyncio.to_thread(worker.kill)
        if child is not None:
            self.deaths.append((died_at, await self.held_by(child["worker"])))

    async def _freeze(self) -> None:
        """A worker that sleeps through its lease and wakes up believing that it has one."""
        await self._others_ready()
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            found = await self._busy()
            if found is not None and await self._stopped_at_work(found):
                self.stopped += 1
                self._frozen[found["worker"]] = time.monotonic()
                asyncio.get_running_loop().call_later(STOPPED_SECONDS, _wake, found["pid"])
                return
            await asyncio.sleep(0.02)

    async def _stopped_at_work(self, child: dict[str, Any]) -> bool:
        """Whether it still held a job when it stood still; else it goes on."""
        with suppress(ProcessLookupError):
            os.kill(child["pid"], signal.SIGSTOP)
            if await self.held_by(child["worker"]):
                return True
            os.kill(child["pid"], signal.SIGCONT)
        return False

    async def _redis_fault(self) -> None:
        began = time.time()
        await self._fault(self.stage.redis_proxy)
        self.outages.append((began, time.time()))

    async def _store_fault(self) -> None:
        await self._fault(self.stage.store_proxy)

    async def _fault(self, proxy: TcpProxy) -> None:
        seconds = self.draws.uniform(*FAULT_SECONDS)
        faults: list[Callable[[], Any]] = [
            proxy.cut,
            proxy.black_hole,
            lambda: proxy.lose_replies(self.draws.randint(1, 20)),
            lambda: proxy.delay(0.15),
        ]
        self.draws.choice(faults)()
        await asyncio.sleep(seconds)
        proxy.pass_on()

    async def _others_ready(self) -> None:
        """Wait until two workers besides the next victim could take its jobs: the promise is about one that dies."""
        until = time.monotonic() + READY_SECONDS
        wanted = min(READY, len(self.stage.workers))
        while len(self.ready()) < wanted and time.monotonic() < until:
            await asyncio.sleep(0.2)

    def ready(self) -> set[str]:
        """Workers that would take work."""
        frozen = {worker for worker, at in self._frozen.items() if time.monotonic() - at < STOPPED_SECONDS}
        statuses = read_statuses(run_folder(self.stage.settings.home_folder))
        return {status.worker for status in statuses if status.state == "ready"} - frozen

    async def _busy(self) -> dict[str, Any] | None:
        workers = list(self.stage.workers)
        self.draws.shuffle(workers)
        for child in filter(None, map(self.stage.child_of, workers)):
            if await self.held_by(child["worker"]):
                return child
        return None


def _wake(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def odd_ends(processes: Iterable[Process]) -> list[str]:
    """Processes that ended by themselves, which none may."""
    return [f"{process.name} ended with {code}" for process in processes for code in process.odd_ends]
