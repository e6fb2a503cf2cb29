"""A real worker: supervisor and child as processes, a Valkey, a folder store, the embedded model."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from ulid import ULID

from darkroom.catalog import open_catalog
from darkroom.cli.config import as_environment
from darkroom.contract.generation import TextToImage
from darkroom.contract.job import Job, JobEvent
from darkroom.ledger.protocol import Submission
from darkroom.ledger.redis import RedisLedger
from darkroom.planner import plan
from darkroom.queue import RqBells
from darkroom.settings import Settings
from worker.status import Status, read_statuses, run_folder

START_SECONDS = 90.0


class Service:
    """What a test does to a worker and to its ledger. `log` is what the worker wrote."""

    def __init__(self, home: Path, redis_url: str, prefix: str, **changed: Any) -> None:
        chosen = {"threads": 1, "drain_seconds": 10.0, "standby": False, **changed}
        self.settings = Settings(home=home, redis_url=SecretStr(redis_url), key_prefix=prefix, **chosen)
        self.log = home / "worker.log"
        self.ledger = RedisLedger.from_settings(self.settings)
        self.bells = RqBells(self.settings)
        self._catalog = open_catalog(Settings(home=home))

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-P", "-m", "worker.main"],
                env={**os.environ, **as_environment(self.settings)},
                stdout=output,
                stderr=output,
            )

    async def stop(self) -> int:
        """Drain; the supervisor's exit code."""
        self.supervisor.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.supervisor.wait, 60)

    async def close(self) -> None:
        if self.supervisor.poll() is None:
            self.supervisor.kill()  # which takes the child along
            self.supervisor.wait()
        await self.ledger.close()
        await self.bells.close()

    def status(self) -> Status | None:
        statuses = read_statuses(run_folder(self.settings.home_folder))
        return statuses[0] if statuses else None

    async def in_state(self, state: str) -> Status:
        """The worker's status once it is in `state`."""
        until = time.monotonic() + START_SECONDS
        while (status := self.status()) is None or status.state != state:
            assert time.monotonic() < until, f"not {state}: {self.log.read_text()[-2000:]}"
            await asyncio.sleep(0.05)
        return status

    async def with_standby(self) -> Status:
        """The worker's status once the next child waits."""
        until = time.monotonic() + START_SECONDS
        while (status := self.status()) is None or not status.standby:
            assert time.monotonic() < until, self.log.read_text()[-2000:]
            await asyncio.sleep(0.05)
        return status

    async def submit(self, **asked: Any) -> str:
        """A new job, its bell rung, as the gateway does it."""
        request = TextToImage(**{"prompt": "a red circle", "seed": 1, **asked})
        settled = plan(request, self._catalog, now=time.time())
        submission = Submission(job_id=str(ULID()), tenant="ann", plan=settled, idempotency_key=None, body_hash="test")
        job = (await self.ledger.submit(submission)).job
        await self.bells.ring(settled.model)
        return job.id

    async def job(self, job_id: str) -> Job:
        return await self.ledger.get("ann", job_id)

    async def ended(self, job_id: str, seconds: float = 60.0) -> Job:
        async with asyncio.timeout(seconds):
            while not (job := await self.job(job_id)).state.terminal:
                await asyncio.sleep(0.02)
        return job

    async def seen(self, job_id: str, name: str, seconds: float = 60.0) -> JobEvent:
        """The first event of this name."""
        async with asyncio.timeout(seconds):
            while True:
                for event in await self.ledger.events(job_id):
                    if event.name == name:
                        return event
                await asyncio.sleep(0.01)

    async def story(self, job_id: str) -> list[str]:
        """The job's events but progress."""
        return [event.name for event in await self.ledger.events(job_id) if event.name != "progress"]


@asynccontextmanager
async def running(home: Path, redis_url: str, prefix: str, **changed: Any) -> AsyncIterator[Service]:
    service = Service(home, redis_url, prefix, **changed)
    service.start()
    try:
        yield service
    finally:
        await service.close()
