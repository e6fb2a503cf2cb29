"""One run: callers and adversary side by side, then quiet, then the judge."""

import asyncio
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from darkroom.services import build_gateway_services
from tests.chaos.adversary import Adversary, Quota, odd_ends
from tests.chaos.callers import Crowd
from tests.chaos.inbox import Inbox
from tests.chaos.judge import Judge, percentile, restarts
from tests.chaos.room import Room
from tests.chaos.stage import Stage
from tests.chaos.witness import TERMINAL, Witness
from tests.receiver import Receiver

START_SECONDS = 120.0
SECONDS_PER_KILL = 10.0  # at most, on a machine that has other things to do
QUIET_SECONDS = 180.0  # for everything still open to end, once nobody kills any more
MOST_OPEN = 6  # less than the workers have room for, so that who waits does so for a worker, not for others


class Campaign:
    """`problems` are sentences; none after a run in which every promise was kept."""

    def __init__(self, stage: Stage, receiver: Receiver, draws: random.Random, quota: Quota, jobs: int) -> None:
        self.problems: list[str] = []
        self._stage = stage
        self._quota = quota
        self._jobs = jobs
        self._inbox = Inbox(random.Random(draws.random()))
        receiver.answer = self._inbox.answer
        self._crowd = Crowd(stage.urls, random.Random(draws.random()), lambda key: f"{receiver.url}&of={key}")
        self._witness = Witness(stage.direct)
        self._adversary = Adversary(stage, random.Random(draws.random()), quota, self._held_by)
        self._states: dict[str, str] = {}
        self._room = Room()

    async def run(self) -> dict[str, Any]:
        keeping = asyncio.create_task(self._adversary.keep_alive())
        try:
            await self._started()
            await self._storm()
            await self._calm()
        finally:
            keeping.cancel()
        return await self._judged()

    async def _started(self) -> None:
        """A picture was made: everything is up."""
        await asyncio.wait_for(self._crowd.ask(), START_SECONDS)
        await self._all_ended(START_SECONDS)
        if self._crowd.refused or self._open():
            raise RuntimeError(f"the service did not start: {self._crowd.refused or 'no worker'}")
        self._say("up")

    async def _storm(self) -> None:
        storm = asyncio.create_task(self._adversary.run())
        asking: set[asyncio.Task[Any]] = set()
        said = began = time.monotonic()
        while not storm.done() or len(self._crowd.accepted) + len(asking) < self._jobs:
            await self._look()
            if len(self._open()) + len(asking) < MOST_OPEN and self._keeps_pace(storm.done()):
                task = asyncio.create_task(self._crowd.ask())
                asking.add(task)
                task.add_done_callback(asking.discard)
            await asyncio.sleep(0.05)
            if time.monotonic() - said > 15.0:
                said = time.monotonic()
                self._say("storm")
            if time.monotonic() - began > START_SECONDS + SECONDS_PER_KILL * self._quota.workers:
                storm.cancel()
                self.problems.append("the storm did not end: work or kills did not go on")
                break
        with suppress(asyncio.CancelledError):
            await storm  # raises what went wrong in it
        await asyncio.gather(*asking)

    def _keeps_pace(self, stormed: bool) -> bool:
        """As many jobs as there are kills, so that neither runs out before the other; but never none."""
        share = 1.0 if stormed else self._adversary.worker_kills() / max(1, self._quota.workers)
        return len(self._crowd.accepted) < self._jobs * share + MOST_OPEN or not self._open()

    async def _calm(self) -> None:
        """Nobody is armed any more; what is open ends."""
        for process in self._stage.processes:
            process.share = 0.0
        (self._stage.settings.home_folder / "calm").touch()
        self._inbox.bad_share = 0.0
        await self._all_ended(QUIET_SECONDS)
        self._say("calm")
        until = time.monotonic() + QUIET_SECONDS
        while self._untold() and time.monotonic() < until:
            await asyncio.sleep(0.2)

    def _untold(self) -> list[str]:
        return [job.job_id for job in self._crowd.accepted if not self._inbox.taken[job.job_id]]

    async def _all_ended(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._open() and time.monotonic() < until:
            await asyncio.sleep(0.2)
            await self._look()

    async def _look(self) -> None:
        """How open jobs stand, and whether a worker has room for one more."""
        seen = await self._witness.states(self._open())
        self._states |= {job_id: state for job_id, (state, _) in seen.items()}
        holding = {worker for state, worker in seen.values() if state == "running"}
        self._room.note(time.time(), self._adversary.ready(), holding)

    def _open(self) -> list[str]:
        return [job.job_id for job in self._crowd.accepted if self._states.get(job.job_id) not in TERMINAL]

    async def _held_by(self, worker: str) -> list[str]:
        return await self._witness.held_by(worker, self._open())

    async def _judged(self) -> dict[str, Any]:
        services = build_gateway_services(self._stage.direct)
        try:
            judge = Judge(self._witness, services)
            await judge.hear_again(self._crowd)
            await judge.hear(self._crowd.accepted)
            await judge.count(self._crowd.accepted)
            judge.read(self._inbox)
        finally:
            await services.close()
            await self._crowd.close()
            await self._witness.close()
        verdict = judge.verdict
        self.problems += [*verdict.histories(), *self._crowd.refused, *odd_ends(self._stage.processes)]
        if self._inbox.forged:
            self.problems.append(f"{self._inbox.forged} webhooks without a good signature")
        self.problems += [f"a child ended with {code}" for code, _ in self._odd_children().items()]
        return self._figures(judge)

    def _odd_children(self) -> Counter[int]:
        codes = Counter(life["code"] for life in self._stage.lives() if life["event"] == "died")
        del codes[-signal.SIGKILL]
        return codes

    def _figures(self, judge: Judge) -> dict[str, Any]:
        lives = self._stage.lives()
        died = {life["worker"]: life["at"] for life in lives if life["event"] == "died"}
        buried = [(died[life["worker"]], life["jobs"]) for life in lives if life["event"] == "buried"]
        adversary = self._adversary
        deaths = [*buried, *adversary.deaths]
        waits = restarts(deaths, judge.verdict.stories, adversary.outages, self._room.without)
        return {
            "worker_kills": self._adversary.worker_kills(),
            "gateway_kills": sum(gateway.killed for gateway in self._stage.gateways),
            "redis_kills": self._stage.redis_kills,
            "courier_kills": sum(courier.killed for courier in self._stage.couriers),
            "jobs": len(self._crowd.accepted),
            "lost": len(judge.verdict.lost) + len(self._crowd.refused),
            "duplicates": len(judge.verdict.duplicates),
            "webhooks_missing": len(judge.verdict.untold),
            "restart_p99_s": round(percentile(waits.first, 0.99), 2),
            "restart_p50_s": round(percentile(waits.first, 0.5), 2),
            "restart_in_all_p99_s": round(percentile(waits.in_all, 0.99), 2),
            "restarts": len(waits.first),
            "later_restarts": len(waits.later),
            "later_restart_p99_s": round(percentile(waits.later, 0.99), 2),
            "restarts_beside_outage": len(waits.beside_outage),
            "restart_beside_outage_p99_s": round(percentile(waits.beside_outage, 0.99), 2),
            "ends": judge.verdict.ends,
            "pictures_verified": judge.verdict.pictures,
            "webhooks_sent": sum(map(len, self._inbox.sent.values())),
            "replays": judge.verdict.replays,
            "retries": self._crowd.retries,
            "frozen": self._adversary.stopped,
            "blows": self._adversary.blows,
            "killed_at": self._killed_at(),
        }

    def _killed_at(self) -> dict[str, int]:
        """Where children died: at which crash point, or from outside."""
        lives = self._stage.lives()
        armed = {life["worker"]: life["crash_at"] for life in lives if life["event"] == "born"}
        dead = [life["worker"] for life in lives if life["event"] == "died" and life["code"] == -signal.SIGKILL]
        points = Counter((armed[worker] or "from_outside").partition(":")[0] for worker in dead)
        return dict(sorted(points.items()))

    def _say(self, where: str) -> None:
        kills = f"{self._adversary.worker_kills()} workers, {self._stage.redis_kills} redis"
        ended = len(self._crowd.accepted) - len(self._open())
        print(f"chaos: {where}: {len(self._crowd.accepted)} accepted, {ended} ended, killed {kills}", flush=True)
