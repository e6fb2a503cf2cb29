"""Every end is counted once by some process, and the device seconds of what ran: a worker and a courier as they run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from darkroom.cli.config import as_environment
from darkroom.contract.job import JobState
from darkroom.ledger.server import LocalRedis, free_port
from tests.e2e.worker.service import Service
from tests.until import until

pytestmark = pytest.mark.slow

LONG = {"steps": 150}  # seconds of work on one thread


@contextmanager
def courier(service: Service) -> Iterator[None]:
    with (service.settings.home_folder / "courier.log").open("wb") as log:
        run = [sys.executable, "-P", "-m", "darkroom", "courier"]
        environment = {**os.environ, **as_environment(service.settings)}
        process = subprocess.Popen(run, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def counted(service: Service, name: str, label: str) -> dict[str, float]:
    """A counter of the worker and the courier together, by one label; what is 0 is left out."""
    found: dict[str, float] = {}
    for port in (service.settings.metrics_port, service.settings.courier_metrics_port):
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and sample.value:
                    found[sample.labels[label]] = found.get(sample.labels[label], 0) + sample.value
    return found


async def test_every_end_is_counted_once_whoever_ends_it(tmp_path: Path, valkey: LocalRedis, key_prefix: str) -> None:
    ports = {"metrics_port": free_port(), "courier_metrics_port": free_port()}
    service = Service(tmp_path, valkey.url, key_prefix, **ports)
    late = await service.submit(deadline=1)
    in_line = await service.submit()
    await service.ledger.cancel("ann", in_line)
    with courier(service):
        service.start()
        try:
            await service.in_state("ready")
            assert (await service.job(late)).state is JobState.EXPIRED
            made = await service.ended(await service.submit())
            canceled = await service.submit(**LONG)
            await service.seen(canceled, "progress")
            await service.ledger.cancel("ann", canceled)
            ends = {"succeeded": 1, "canceled": 2, "expired": 1}
            await until(lambda: counted(service, "darkroom_jobs_finished_total", "state") == ends, 20)
            await until(lambda: "canceled" in counted(service, "darkroom_device_seconds_total", "state"), 20)
            used = counted(service, "darkroom_device_seconds_total", "state")
        finally:
            await service.close()
    assert made.receipt is not None
    assert set(used) == {"succeeded", "canceled"}
    assert used["succeeded"] == pytest.approx(made.receipt.device_seconds)
