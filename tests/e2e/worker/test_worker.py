"""A worker as it runs: submitted, generated, marked, signed, stored; canceled; killed; stopped."""

import asyncio
import hashlib
import io
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from redis import Redis
from rq import Queue
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from darkroom.catalog import embedded_model_folder
from darkroom.contract.job import JobState
from darkroom.errors import NotFound
from darkroom.ledger.server import LocalRedis
from darkroom.queue import queue_name
from darkroom.services import build_gateway_services
from tests.e2e.worker.service import Service, running

pytestmark = pytest.mark.slow

LONG = {"steps": 150}  # seconds of work on one thread


@pytest.fixture
async def service(tmp_path: Path, valkey: LocalRedis, key_prefix: str) -> AsyncIterator[Service]:
    async with running(tmp_path, valkey.url, key_prefix) as service:
        await service.in_state("ready")
        yield service


async def test_a_prompt_becomes_a_proven_picture_and_nothing_else_runs(service: Service, tmp_path: Path) -> None:
    """One worker for several promises, since each start loads torch."""
    await a_prompt_becomes_a_proven_picture(service)
    await a_running_job_can_be_canceled(service)
    await what_is_on_its_way_can_be_seen(service)
    await a_job_that_is_not_a_bell_does_not_run(service, tmp_path / "pwned")
    assert await service.stop() == 0
    assert "a red circle" not in service.log.read_text(), "prompts stay out of logs"
    assert service.status() is None


async def a_prompt_becomes_a_proven_picture(service: Service) -> None:
    job = await service.ended(await service.submit(n=2))
    assert job.state is JobState.SUCCEEDED
    assert job.receipt is not None
    assert job.receipt.device_seconds > 0
    assert await service.story(job.id) == ["queued", "running", "succeeded"]
    gateway = build_gateway_services(service.settings)
    try:
        for artifact in job.artifacts:
            data = await gateway.store.get(artifact.key)
            assert hashlib.sha256(data).hexdigest() == artifact.sha256
            verdict = await gateway.verifier.verify(data)
            assert (verdict.state, verdict.manifest_id) == ("intact", artifact.manifest_id)
    finally:
        await gateway.close()


async def a_running_job_can_be_canceled(service: Service) -> None:
    job_id = await service.submit(**LONG)
    await service.seen(job_id, "progress")
    await service.ledger.cancel("ann", job_id)
    after = await service.ended(await service.submit(steps=4))
    assert after.state is JobState.SUCCEEDED, "the worker has room again"
    job = await service.job(job_id)
    assert (job.state, job.artifacts) == (JobState.CANCELED, ())
    assert await service.story(job_id) == ["queued", "running", "canceled"]


async def what_is_on_its_way_can_be_seen(service: Service) -> None:
    job_id = await service.submit(**LONG, previews=True)
    async with asyncio.timeout(60):
        while (progress := (await service.job(job_id)).progress) is None or progress.previews < 2:
            assert not (await service.job(job_id)).state.terminal, "too quick to be seen"
            await asyncio.sleep(0.02)
    frame = Image.open(io.BytesIO(await service.ledger.preview("ann", job_id, 0)))
    assert (frame.format, frame.size) == ("JPEG", (128, 128))
    await service.ledger.cancel("ann", job_id)
    with pytest.raises(NotFound):
        await service.ledger.preview("ann", job_id, 0)


async def a_job_that_is_not_a_bell_does_not_run(service: Service, witness: Path) -> None:
    """The names of a function and of a callback that touch a file, written by somebody who can write to Redis."""
    with Redis.from_url(service.settings.redis_url.get_secret_value()) as connection:
        queue = Queue(queue_name("tiny"), connection=connection, serializer=JSONSerializer)
        attack = queue.enqueue("os.mkdir", str(witness), failure_ttl=60)
        until = time.monotonic() + 30
        while attack.get_status() is not JobStatus.FAILED:
            assert time.monotonic() < until, attack.get_status()
            await asyncio.sleep(0.05)
    assert not witness.exists()


async def test_killing_the_child_in_mid_generation_costs_one_attempt_and_less_than_20_seconds(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    async with running(tmp_path, valkey.url, key_prefix, standby=True) as service:
        await the_child_is_killed(service)
        await the_child_dies_with_its_supervisor(service)


async def the_child_is_killed(service: Service) -> None:
    status = await service.with_standby()
    job_id = await service.submit(**LONG)
    await service.seen(job_id, "progress")
    assert status.child_pid is not None
    os.kill(status.child_pid, signal.SIGKILL)
    killed = time.monotonic()
    job = await service.ended(job_id)
    seconds = time.monotonic() - killed
    assert (job.state, job.attempt, len(job.artifacts)) == (JobState.SUCCEEDED, 2, 1)
    assert await service.story(job_id) == ["queued", "running", "requeued", "running", "succeeded"]
    assert seconds < 20


async def the_child_dies_with_its_supervisor(service: Service) -> None:
    status = await service.in_state("ready")
    assert status.child_pid is not None
    service.supervisor.kill()
    service.supervisor.wait()
    until = time.monotonic() + 10
    while Path(f"/proc/{status.child_pid}/stat").exists():
        assert time.monotonic() < until, "the child outlived its supervisor"
        await asyncio.sleep(0.02)


async def test_a_ledger_that_restarts_in_mid_generation_costs_nothing(tmp_path: Path, key_prefix: str) -> None:
    with LocalRedis(tmp_path / "valkey") as server:
        async with running(tmp_path, server.url, key_prefix) as service:
            await service.in_state("ready")
            job_id = await service.submit(**LONG)
            await service.seen(job_id, "progress")
            server.stop()
            await asyncio.sleep(3.0)
            server.start()
            assert (await service.ended(job_id)).state is JobState.SUCCEEDED
            assert await service.story(job_id) == ["queued", "running", "succeeded"]
            assert (await service.ended(await service.submit(steps=4))).state is JobState.SUCCEEDED
            await _logged(service, "ledger.back")
            log = service.log.read_text()
            assert (log.count("ledger.away"), log.count("ledger.back")) == (1, 1)


async def _logged(service: Service, event: str) -> None:
    """That the ledger is back is said by the next sweep, which may come after the job's end."""
    until = time.monotonic() + 20
    while event not in service.log.read_text():
        assert time.monotonic() < until, f"{event} was never logged"
        await asyncio.sleep(0.1)


async def test_a_stopped_worker_hands_back_what_it_cannot_finish(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    async with running(tmp_path, valkey.url, key_prefix, drain_seconds=0.5) as service:
        await service.in_state("ready")
        job_id = await service.submit(**LONG)
        await service.seen(job_id, "progress")
        began = time.monotonic()
        assert await service.stop() == 0
        assert time.monotonic() - began < 6
        job = await service.job(job_id)
        assert (job.state, job.attempt) == (JobState.QUEUED, 0)
        assert await service.story(job_id) == ["queued", "running", "requeued"]


async def test_broken_weights_are_named_and_the_worker_does_not_become_ready(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    models = {"cut": truncated(tmp_path)}
    async with running(tmp_path, valkey.url, key_prefix, models=models, default_model="cut") as service:
        status = await service.in_state("failed")
        assert "the default model cut is broken" in status.detail
        assert "unet/diffusion_pytorch_model.safetensors" in status.detail
        lines = [line for line in service.log.read_text().splitlines() if '"error"' in line]
        assert len(lines) == 1
        assert "unet/diffusion_pytorch_model.safetensors" in lines[0]
        assert service.supervisor.poll() is None


async def test_a_broken_model_beside_the_default_is_named_and_the_rest_is_served(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str
) -> None:
    async with running(tmp_path, valkey.url, key_prefix, models={"cut": truncated(tmp_path)}) as service:
        status = await service.in_state("ready")
        assert "the model cut is broken: unet/diffusion_pytorch_model.safetensors" in status.detail
        assert "the model cut is broken" in service.log.read_text()
        job_id = await service.submit()
        assert (await service.ended(job_id)).state is JobState.SUCCEEDED


def truncated(tmp_path: Path) -> Path:
    """The embedded model with the end of its U-Net cut off."""
    broken = tmp_path / "broken"
    shutil.copytree(embedded_model_folder(), broken)
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    return broken
