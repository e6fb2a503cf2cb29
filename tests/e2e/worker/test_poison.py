"""A job that kills all workers it meets, beside seven others: real supervisor and ledger, a child without models."""

import asyncio
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from darkroom.contract.job import Job, JobState
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import LocalRedis
from darkroom.settings import Settings
from tests.integration.ledger.making import submitted
from tests.unit.worker.children import HEAD, LIMITS
from worker.main import _bury
from worker.supervisor import Supervisor

pytestmark = pytest.mark.slow

# Claims as much as it has room for, and dies of poison before anything else ends.
CHILD = """
import asyncio
from darkroom.ledger.redis import RedisLedger
from darkroom.settings import Settings
from tests.integration.ledger.making import succeeded
say(state="ready")
async def work():
    ledger = RedisLedger.from_settings(Settings(**orders["settings"]))
    while True:
        claims = await ledger.claim(orders["worker"], ["tiny"], 8)
        if any(claim.plan.prompt == "poison" for claim in claims):
            os.kill(os.getpid(), 9)
        for claim in claims:
            await ledger.finish(claim.job_id, claim.attempt, succeeded())
        await ledger.reap()
        await asyncio.sleep(0.05)
asyncio.run(work())
"""


def nobody_is_told(worker: str, how: str) -> None:
    """As where the whole machine went, its supervisor too."""


async def ended(ledger: RedisLedger, job_id: str) -> Job:
    while not (job := await ledger.get("ann", job_id)).state.terminal:
        await asyncio.sleep(0.05)
    return job


async def fate_of(settings: Settings, bury: Callable[[str, str], None]) -> tuple[Job, list[Job]]:
    """What became of a poisonous job and of its neighbours."""
    ledger = RedisLedger.from_settings(settings)
    poison = await submitted(ledger, prompt="poison")
    innocents = [await submitted(ledger) for _ in range(7)]
    supervisor = Supervisor(settings, bury=bury, command=(sys.executable, "-P", "-c", HEAD + CHILD), limits=LIMITS)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        async with asyncio.timeout(50):
            return await ended(ledger, poison), [await ended(ledger, job_id) for job_id in innocents]
    finally:
        supervisor.stop()
        await asyncio.to_thread(thread.join)
        await ledger.close()


@pytest.mark.parametrize(("supervised", "attempts"), [(True, 2), (False, 3)])
async def test_neighbours_of_a_poisonous_job_survive_it_and_it_is_given_up(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str, supervised: bool, attempts: int
) -> None:
    """Where nobody says how a worker died, they die with it twice, and are done by the third."""
    settings = Settings(
        home=tmp_path,
        redis_url=SecretStr(valkey.url),
        key_prefix=key_prefix,
        lease_seconds=1.0,
        standby=False,
        drain_seconds=0.1,
    )
    poison, innocents = await fate_of(settings, partial(_bury, settings) if supervised else nobody_is_told)
    assert poison.failure is not None
    assert (poison.state, poison.failure.code) == (JobState.FAILED, "attempts_exhausted")
    assert [lost.killed for lost in poison.lost_attempts] == 3 * [supervised]
    assert {(job.state, job.attempt) for job in innocents} == {(JobState.SUCCEEDED, attempts)}
