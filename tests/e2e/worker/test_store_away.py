"""A worker whose store goes away: what it has finished waits on its disk, whatever becomes of the process."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from darkroom.contract.job import JobState
from darkroom.ledger.server import LocalRedis
from darkroom.services import build_gateway_services
from tests.e2e.worker.service import Service, running
from tests.servers.seaweedfs import S3Server
from tests.servers.tcp_proxy import TcpProxy, tcp_proxy
from worker.main import probe

pytestmark = pytest.mark.slow

# Of a spool. A quarter of it must take one picture of 128 x 128 without compression: what may not fit is not tried.
ROOM = 200_000


def behind(proxy: TcpProxy, server: S3Server, **changed: object) -> dict[str, object]:
    """A worker that reaches its store through a proxy."""
    return {**server.settings(), "s3_endpoint": f"http://127.0.0.1:{proxy.port}", "outage_patience": 2.0, **changed}


def port_of(server: S3Server) -> int:
    port = urlsplit(server.endpoint).port
    assert port is not None
    return port


async def sooner_than(seconds: float, condition: Callable[[], bool], service: Service) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, service.log.read_text()[-3000:]
        await asyncio.sleep(0.05)


def pictures(home: Path) -> list[Path]:
    return sorted((home / "spool").rglob("*.picture"))


async def assert_proven(service: Service, server: S3Server, job_id: str) -> None:
    """Its picture is in the store, and verifies."""
    job = await service.ended(job_id)
    assert job.state is JobState.SUCCEEDED
    (artifact,) = job.artifacts
    gateway = build_gateway_services(service.settings)
    try:
        verdict = await gateway.verifier.verify(await gateway.store.get(artifact.key))
        assert (verdict.state, verdict.manifest_id) == ("intact", artifact.manifest_id)
    finally:
        await gateway.close()


async def test_finished_pictures_outlive_the_store_and_the_process(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str, seaweedfs: S3Server
) -> None:
    with tcp_proxy(port_of(seaweedfs)) as proxy:
        async with running(tmp_path, valkey.url, key_prefix, **behind(proxy, seaweedfs)) as service:
            status = await service.in_state("ready")
            proxy.cut()
            waiting = await service.submit(steps=4)
            await sooner_than(30, lambda: len(pictures(tmp_path)) == 1, service)
            await asyncio.sleep(4)  # twice its patience with what waits in memory
            assert (await service.job(waiting)).state is JobState.RUNNING
            assert status.child_pid is not None
            os.kill(status.child_pid, signal.SIGKILL)
            await service.in_state("waiting")
            # The next child cannot begin without its store; what lies on disk is untouched by that.
            assert len(pictures(tmp_path)) == 1
            proxy.pass_on()
            await assert_proven(service, seaweedfs, waiting)
            assert (await service.job(waiting)).attempt == 2
            await sooner_than(10, lambda: pictures(tmp_path) == [], service)
            assert await service.stop() == 0


async def test_a_full_spool_stops_claims_and_says_so(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str, seaweedfs: S3Server
) -> None:
    with tcp_proxy(port_of(seaweedfs)) as proxy:
        async with running(tmp_path, valkey.url, key_prefix, **behind(proxy, seaweedfs, spool_bytes=ROOM)) as service:
            await service.in_state("ready")
            proxy.black_hole()
            jobs = [await service.submit(steps=4, seed=1)]
            while (status := service.status()) is None or status.state != "stalled":
                await sooner_than(60, lambda: len(pictures(tmp_path)) >= len(jobs), service)
                await asyncio.sleep(0.7)
                status = service.status()
                if status is None or status.state != "stalled":
                    jobs.append(await service.submit(steps=4, seed=len(jobs) + 1))
            assert "spool is full" in status.detail
            assert probe(service.settings) == 1
            late = await service.submit(steps=4)
            await asyncio.sleep(1)
            assert (await service.job(late)).state is JobState.QUEUED
            assert sum(path.stat().st_size for path in pictures(tmp_path)) <= ROOM
            proxy.pass_on()
            await service.in_state("ready")
            for job_id in (*jobs, late):
                await assert_proven(service, seaweedfs, job_id)
            assert pictures(tmp_path) == []
            assert await service.stop() == 0
