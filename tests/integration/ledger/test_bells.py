"""Bells through RQ, on a real server."""

import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.server import LocalRedis
from darkroom.queue import SERVE, RqBells, queue_name, rebell
from darkroom.settings import Settings
from tests.integration.ledger.making import submitted

pytestmark = pytest.mark.slow


@pytest.fixture
def model() -> str:
    """A model of this test's own: RQ's queues are shared by all who use a server."""
    return f"model-{uuid4().hex}"


@pytest.fixture
def queue(valkey: LocalRedis, model: str) -> Queue:
    return Queue(queue_name(model), connection=Redis.from_url(valkey.url), serializer=JSONSerializer)


@pytest.fixture
async def bells(valkey: LocalRedis) -> AsyncIterator[RqBells]:
    bells = RqBells(Settings(redis_url=valkey.url))
    yield bells
    await bells.close()


async def test_a_bell_names_the_model_and_nothing_else(bells: RqBells, queue: Queue, model: str) -> None:
    await bells.ring(model)
    (job,) = queue.jobs
    assert (job.func_name, job.args, job.kwargs, job.meta) == (SERVE, [model], {}, {})
    assert (job.timeout, job.result_ttl, job.description) == (-1, 0, "serve")


async def test_with_no_worker_one_bell_waits(bells: RqBells, queue: Queue, model: str) -> None:
    for _ in range(5):
        await bells.ring(model)
    assert queue.count == 1


async def test_there_are_never_more_bells_than_workers(bells: RqBells, queue: Queue, model: str) -> None:
    workers = [SimpleWorker([queue], connection=queue.connection) for _ in range(3)]
    for worker in workers:
        worker.register_birth()
    for _ in range(9):
        await bells.ring(model)
    assert queue.count == 3


async def test_a_ring_counts_a_thousand_workers_without_fetching_their_names(
    bells: RqBells, queue: Queue, model: str
) -> None:
    queue.connection.sadd(f"rq:workers:{queue.name}", *(f"rq:worker:{number:032x}" for number in range(1_000)))
    await bells.ring(model)  # connects
    before = queue.connection.info("stats")["total_net_output_bytes"]
    for _ in range(10):
        await bells.ring(model)
    assert queue.connection.info("stats")["total_net_output_bytes"] - before < 20_000
    assert queue.count == 11


async def test_a_ring_into_the_void_raises_nothing(tmp_path: Path) -> None:
    with LocalRedis(tmp_path) as server:
        bells = RqBells(Settings(redis_url=server.url))
        os.kill(server.pid, signal.SIGSTOP)
        started = time.monotonic()
        try:
            await bells.ring("tiny")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert time.monotonic() - started < 2.5
    await bells.ring("tiny")
    await bells.close()


async def test_rebell_rings_for_every_model_that_waits(bells: RqBells, queue: Queue, model: str) -> None:
    ledger = MemoryLedger()
    await rebell(ledger, bells)
    assert queue.count == 0
    await submitted(ledger, model=model)
    await rebell(ledger, bells)
    await rebell(ledger, bells)
    assert queue.count == 1
