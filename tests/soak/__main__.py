"""Run the service for long under steady work, and see whether any process holds more and more.

    python -m tests.soak [--minutes N] [--seed N]

Prints one JSON object as its last line. Exit code 1 when after the warm-up the memory of a process grew by more than
5 %, or its descriptors, its threads or the keys in Redis did not stay as they were.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.chaos.callers import GENERATIONS, Accepted, Crowd
from tests.chaos.stage import TENANTS, Stage, stage
from tests.chaos.witness import TERMINAL, Witness
from tests.receiver import LOOPBACK, SECRET, Receiver, receiving
from tests.soak.gauges import Growth, Reading, family, keys_leak, read

MOST_OPEN = 6
WARM_UP = 0.4  # of the whole time: caches fill, and the first records are forgotten
KEPT_SECONDS = 30  # records of jobs that ended, so that Redis forgets as many as come
LOOK_SECONDS = 1.0


class Soak:
    """`leaks` are sentences; none after a run in which everything stayed as it was."""

    def __init__(self, standing: Stage, receiver: Receiver, seed: int, seconds: float) -> None:
        self.leaks: list[str] = []
        self._stage = standing
        self._seconds = seconds
        self._receiver = receiver
        self._crowd = Crowd(standing.urls, random.Random(seed), lambda _: receiver.url, keyed=False)
        self._witness = Witness(standing.direct)
        self._readings: defaultdict[str, list[Reading]] = defaultdict(list)
        self._keys: list[int] = []
        self._seen = 0

    async def run(self) -> dict[str, Any]:
        try:
            await asyncio.wait_for(self._crowd.ask(), 180)
            began = time.monotonic()
            callers = [asyncio.create_task(self._call(began + self._seconds)) for _ in range(MOST_OPEN)]
            while time.monotonic() < began + self._seconds:
                await asyncio.sleep(LOOK_SECONDS)
                if time.monotonic() > began + self._seconds * WARM_UP:
                    await self._measure()
            await asyncio.gather(*callers)
        finally:
            await self._crowd.close()
            await self._witness.close()
        return self._figures()

    async def _call(self, until: float) -> None:
        """One caller: ask, wait for the end, look at the picture, have it verified now and then."""
        while time.monotonic() < until:
            job = await self._crowd.ask()
            if job is not None and await self._ended(job) == "succeeded":
                await self._look_at(job)

    async def _ended(self, job: Accepted) -> str:
        while (state := (await self._witness.states([job.job_id])).get(job.job_id, ("", ""))[0]) not in TERMINAL:
            await asyncio.sleep(0.1)
        return state

    async def _look_at(self, job: Accepted) -> None:
        shown = await self._crowd.send("GET", job.tenant, f"{GENERATIONS}/{job.job_id}")
        if shown is None or shown.status_code != 200:
            self.leaks.append(f"{job.job_id} ended, and could not be seen")
            return
        path = shown.json()["images"][0]["url"].partition("/api/")[2]
        picture = await self._crowd.send("GET", job.tenant, f"/api/{path}", follow_redirects=True)
        if picture is None or picture.status_code != 200:
            self.leaks.append(f"the picture of {job.job_id} could not be had")
            return
        self._seen += 1
        if self._seen % 10 == 0:
            headers = {"Content-Type": picture.headers["content-type"]}
            verify = "/api/v1/provenance/verify"
            await self._crowd.send("POST", job.tenant, verify, content=picture.content, headers=headers)

    async def _measure(self) -> None:
        now = time.monotonic()
        for process in self._stage.processes:
            for place, pid in enumerate(family(process.pid)):
                if (reading := read(pid, now)) is not None:
                    self._readings[f"{process.name}/{place}"].append(reading)
        if (redis := read(self._stage.redis.pid, now)) is not None:
            self._readings["valkey"].append(redis)
        self._keys.append(await self._witness.keys())

    def _figures(self) -> dict[str, Any]:
        grown = {name: Growth.of(readings) for name, readings in self._readings.items() if len(readings) > 30}
        self.leaks += [f"{name}: {leak}" for name, growth in grown.items() for leak in growth.leaks()]
        self.leaks += filter(None, [keys_leak(self._keys)])
        self.leaks += self._crowd.refused
        return {
            "jobs": len(self._crowd.accepted),
            "pictures_seen": self._seen,
            "webhooks": len(self._receiver.messages),
            "redis_keys": [self._keys[0], self._keys[-1]] if self._keys else [],
            "processes": {name: growth.figures() for name, growth in sorted(grown.items())},
            "leaks": len(self.leaks),
        }


async def soaked(folder: Path, seed: int, seconds: float) -> tuple[dict[str, Any], list[str]]:
    """Figures and leaks of one run."""
    async with receiving() as receiver:
        settings = {
            "result_ttl": KEPT_SECONDS,
            "outbound_allow": (LOOPBACK,),
            "outbound_ports": (receiver.port,),
            "webhook_secrets": {tenant: (SecretStr(SECRET),) for tenant in TENANTS},
            "verify_per_minute": 60_000,
            "verify_per_minute_and_address": 60_000,
        }
        with stage(folder, seed, forked=0, fresh=1, share=0.0, **settings) as standing:
            soak = Soak(standing, receiver, seed, seconds)
            return await soak.run(), soak.leaks


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="darkroom-soak-") as folder:
        figures, leaks = asyncio.run(soaked(Path(folder), asked.seed, asked.minutes * 60))
    for leak in leaks:
        print(leak, file=sys.stderr)
    print(json.dumps({"minutes": asked.minutes, **figures}), flush=True)
    return 1 if leaks else 0


if __name__ == "__main__":
    raise SystemExit(main())
