"""Workers that are stopped, and workers that hang, while there is work: real children, engine, ledger and store."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from darkroom.cli.config import as_environment
from darkroom.contract.job import Job, JobState
from darkroom.ledger.server import LocalRedis
from tests.e2e.worker.service import START_SECONDS, Service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROLLOUTS = 20
STEPS = (4, 8, 4, 150)  # some fit into the drain, some do not


class Rolling(Service):
    """Workers one after the other, each begun when the one before has drained."""

    arguments: tuple[str, ...] = ()

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.worker.rolling", *self.arguments],
                env={**os.environ, **as_environment(self.settings)},
                cwd=Path(__file__).parents[3],
                stdout=output,
                stderr=output,
            )

    def claims(self) -> int:
        return self.log.read_text().count('"job.claimed"')

    async def next_worker(self, before: str) -> str:
        """The name of the worker that is ready and is not `before`."""
        until = time.monotonic() + START_SECONDS
        while (status := self.status()) is None or status.state != "ready" or status.worker == before:
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            await asyncio.sleep(0.02)
        return status.worker


@asynccontextmanager
async def rolling(home: Path, url: str, prefix: str, *arguments: str, **changed: Any) -> AsyncIterator[Rolling]:
    service = Rolling(home, url, prefix, **changed)
    service.arguments = arguments
    service.start()
    try:
        yield service
    finally:
        await service.close()


async def test_twenty_rollouts_under_load_fail_no_job_and_cost_no_attempt(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    async with rolling(tmp_path, valkey.url, key_prefix, str(ROLLOUTS + 1), drain_seconds=0.1) as service:
        name = await service.next_worker("")
        asked: list[str] = []
        for rollout in range(ROLLOUTS):
            claimed = service.claims()
            asked += [await service.submit(steps=STEPS[len(asked) % len(STEPS)], seed=len(asked)) for _ in range(2)]
            async with asyncio.timeout(60):
                while service.claims() == claimed:
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.05 * (rollout % 5))  # not always at the same moment of a job
            service.supervisor.send_signal(signal.SIGTERM)
            name = await service.next_worker(name)
        jobs = [await service.ended(job_id, 120) for job_id in asked]
        assert await service.stop() == 0
        assert Counter((job.state, job.attempt) for job in jobs) == {(JobState.SUCCEEDED, 1): len(jobs)}
        stories = [await service.story(job.id) for job in jobs]
        assert sum("requeued" in story for story in stories) > 0, "some did not fit, and were handed back"
        assert all(story[-1] == "succeeded" and story.count("succeeded") == 1 for story in stories)


async def test_a_child_that_hangs_in_a_step_is_killed_after_three_times_the_step_and_its_job_is_made_again(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    async with rolling(tmp_path, valkey.url, key_prefix, "1", "10") as service:
        first = await service.next_worker("")
        job_id = await service.submit(steps=20)
        mark = tmp_path / "hung"
        async with asyncio.timeout(30):
            while not mark.exists():
                await asyncio.sleep(0.02)
        hung = time.monotonic()
        await service.next_worker(first)
        job: Job = await service.ended(job_id)
        assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
        assert 2.0 < time.monotonic() - hung < 2.0 + 40
        log = service.log.read_text()
        assert log.count("worker.child_killed") == 1
        assert "a step takes too long" in log
        assert not Path(f"/proc/{mark.read_text()}/stat").exists(), "the one that hung is gone"
        assert await service.story(job_id) == ["queued", "running", "requeued", "running", "succeeded"]
        assert await service.stop() == 0
