"""A real worker that has no key: a command signs for it, and an authority attests the time."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from darkroom.contract.job import JobState
from darkroom.ledger.server import LocalRedis
from darkroom.services import build_gateway_services
from tests.e2e.worker.service import Service, running
from tests.servers.posts import served
from tests.servers.timestamping import Authority
from tests.unit.provenance.certificates import Authority as Issuer
from tests.unit.provenance.certificates import key_pem
from tests.unit.provenance.keyholders.holders import KEYS
from worker.exits import MISCONFIGURED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl on this machine"),
]


@dataclass
class Signer:
    """A key in a folder that the worker is not told of, behind a command that fails while a file says `away`."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.key = KEYS["es256"]()
        (self.folder / "leaf.key").write_text(key_pem(self.key))
        (self.folder / "chain.pem").write_text(Issuer().signer(key=self.key).chain_pem)
        self.away = self.folder / "away"
        self.settings: dict[str, Any] = {
            "signing_certificate": self.folder / "chain.pem",
            "signing_command": (
                "sh",
                "-c",
                f"cd {self.folder} && ! test -e away && openssl dgst -sha256 -sign leaf.key",
            ),
            "signing_timeout": 20.0,
            "outage_patience": 2.0,
        }


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "kms")


@pytest.fixture
async def service(tmp_path: Path, valkey: LocalRedis, key_prefix: str, signer: Signer) -> AsyncIterator[Service]:
    times = Authority()
    (tmp_path / "times.pem").write_text(times.anchor_pem)
    signer.away.touch()
    (tmp_path / "home").mkdir()
    with served(lambda query: (200, times.answer(query))) as asked:
        timed = {"timestamp_url": asked.url, "timestamp_policy": "required", "timestamp_timeout": 20.0}
        chosen = {**signer.settings, **timed, "timestamp_anchors": tmp_path / "times.pem"}
        async with running(tmp_path / "home", valkey.url, key_prefix, **chosen) as service:
            yield service


async def test_a_worker_without_a_key_waits_for_whoever_has_it_and_makes_proven_pictures(
    service: Service, signer: Signer
) -> None:
    """One worker for several promises, since each start loads torch."""
    await it_takes_no_job_before_it_can_sign(service, signer)
    await its_picture_is_trusted_and_its_time_attested(service)
    await a_signer_that_is_away_fails_the_job_for_now(service, signer)
    assert await service.stop() == 0
    assert "PRIVATE KEY" not in service.log.read_text()


async def it_takes_no_job_before_it_can_sign(service: Service, signer: Signer) -> None:
    job_id = await service.submit(steps=4)
    async with asyncio.timeout(90):
        while (status := service.status()) is None or status.detail != "waiting for whoever signs":
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)
    assert (await service.job(job_id)).state is JobState.QUEUED
    assert "the signing command ended with 1" in service.log.read_text()
    signer.away.unlink()
    await service.in_state("ready")
    assert (await service.ended(job_id)).state is JobState.SUCCEEDED


async def its_picture_is_trusted_and_its_time_attested(service: Service) -> None:
    job = await service.ended(await service.submit(n=2, steps=4))
    assert job.state is JobState.SUCCEEDED, job.failure
    gateway = build_gateway_services(service.settings)
    try:
        for artifact in job.artifacts:
            verdict = await gateway.verifier.verify(await gateway.store.get(artifact.key))
            assert (verdict.state, verdict.manifest_id) == ("intact", artifact.manifest_id)
            assert verdict.signer is not None
            assert verdict.signer.trusted
            assert verdict.signer.signed_at is not None
            assert artifact.timestamped
    finally:
        await gateway.close()


async def a_signer_that_is_away_fails_the_job_for_now(service: Service, signer: Signer) -> None:
    signer.away.touch()
    job = await service.ended(await service.submit(steps=4))
    assert job.failure is not None
    assert (job.failure.code, job.failure.retryable) == ("signing_unavailable", True)
    signer.away.unlink()
    assert (await service.ended(await service.submit(steps=4))).state is JobState.SUCCEEDED


async def test_a_worker_whose_signer_has_another_key_does_not_start(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str, signer: Signer
) -> None:
    (signer.folder / "leaf.key").write_text(key_pem(KEYS["es256"]()))
    async with running(tmp_path, valkey.url, key_prefix, **signer.settings) as service:
        assert await asyncio.to_thread(service.supervisor.wait, 90) == MISCONFIGURED
        assert "no signature by the certificate's key" in service.log.read_text()
