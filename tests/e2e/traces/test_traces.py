"""One request's trace through all processes, as a collector gets it: real gateway, worker and courier."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from darkroom.ledger.server import LocalRedis
from tests.e2e.worker.service import running
from tests.gateway import API_KEYS, GENERATIONS, bearer
from tests.receiver import SECRET, receiving
from tests.servers.collector import Collector, Told, collecting
from tests.servers.gateway_process import Process, process
from tests.until import until

pytestmark = pytest.mark.slow

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
PROMPT = "a canary that nobody but its owner should see"
STAGES = {"watermark", "encode", "sign", "read_back", "store"}


@contextmanager
def courier(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    with log.open("wb") as output:
        run = [sys.executable, "-P", "-m", "darkroom", "courier"]
        started = subprocess.Popen(run, env=clean | environment, stderr=output)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def lines(*logs: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for log in logs for line in log.read_text().splitlines() if line.startswith("{")]


def refusals(collector: Collector) -> list[Told]:
    return [span for span in collector.spans if span.said.get("http.response.status_code") == 422]


async def ended(client: httpx.AsyncClient, job_id: str) -> Any:
    async with asyncio.timeout(120):
        while (job := (await client.get(f"{GENERATIONS}/{job_id}")).json())["state"] in ("queued", "running"):
            await asyncio.sleep(0.1)
    return job


async def test_a_request_is_one_trace_from_its_caller_to_its_webhook(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with collecting() as collector, LocalRedis(tmp_path / "valkey", appendfsync="no") as redis:
        async with receiving() as receiver:
            shared = {
                "DARKROOM_OTLP_ENDPOINT": collector.url,
                "DARKROOM_KEY_PREFIX": "traces",
                "DARKROOM_WEBHOOK_SECRETS": json.dumps({"alice": [SECRET]}),
                "DARKROOM_OUTBOUND_ALLOW": '["127.0.0.0/8"]',
                "DARKROOM_OUTBOUND_PORTS": json.dumps([receiver.port]),
                "OTEL_BSP_SCHEDULE_DELAY": "100",
            }
            couriers = shared | {"DARKROOM_HOME": str(home), "DARKROOM_REDIS_URL": redis.url}
            async with running(home, redis.url, "traces", otlp_endpoint=collector.url, log_level="debug") as worker:
                await worker.in_state("ready")
                with (
                    process(home, redis.url, shared | {"DARKROOM_API_KEYS": json.dumps(API_KEYS)}) as gateway,
                    courier(couriers, home / "courier.log"),
                ):
                    headers = bearer("alice") | {"traceparent": f"00-{TRACE}-{CALLER}-01"}
                    asked = {"prompt": PROMPT, "steps": 3, "n": 2, "seed": 1, "webhook_url": receiver.url}
                    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client:
                        answer = await client.post(GENERATIONS, json=asked, headers=headers)
                        assert answer.status_code == 202, answer.text
                        client.headers = httpx.Headers(bearer("alice"))
                        job = await ended(client, answer.json()["id"])
                        assert job["state"] == "succeeded", job
                        await receiver.got(1, 30)
                        refused = await client.post(GENERATIONS, json={"prompt": PROMPT, "steps": PROMPT})
                        assert refused.status_code == 422
                    await until(lambda: {"webhook", "job"} <= collector.names() and bool(refusals(collector)), 30)
                    kept = lines(home / "gateway.log", home / "worker.log", home / "courier.log")
                assert await worker.stop() == 0

    ours = [span for span in collector.spans if span.trace == TRACE]
    (request,) = [span for span in ours if span.parent == CALLER]
    assert (request.service, request.name) == ("darkroom-gateway", f"POST {GENERATIONS}")
    assert request.said["http.response.status_code"] == 202
    assert "ledger.submit" in collector.children(request)

    made = collector.only("job")
    assert (made.service, made.parent, made.trace) == ("darkroom-worker", request.id, TRACE)
    assert made.said["darkroom.job"] == job["id"]
    assert made.said["darkroom.state"] == "succeeded"
    assert collector.children(made) >= {"encode_words", "denoise", "decode", "finish", "ledger.finish"}
    assert collector.only("wait").parent == request.id
    finishes = [span for span in ours if span.name == "finish"]
    assert sorted(span.said["darkroom.image"] for span in finishes) == [0, 1]
    assert all(collector.children(span) >= STAGES for span in finishes)
    uploads = [span for span in ours if span.name == "store.put"]
    assert {span.parent for span in uploads} >= {span.id for span in ours if span.name == "store"}

    told = collector.only("webhook")
    assert (told.service, told.parent, told.trace) == ("darkroom-courier", request.id, TRACE)
    assert told.said["darkroom.outcome"] == "2xx"

    by_id = {span.id: span for span in ours}
    for span in ours:
        assert span.began <= span.ended
        if parent := by_id.get(span.parent) if span.service == "darkroom-worker" else None:
            assert span.parent == request.id or parent.began - 10**6 <= span.began, (span.name, parent.name)
    assert [span.failed for span in refusals(collector)] == [False]

    about = [line for line in kept if line.get("job_id") == job["id"] and line["event"] != "job.reaped"]
    assert {line["service"] for line in about} >= {"worker", "courier"}
    assert {line.get("trace_id") for line in about} == {TRACE}
    answered = [line for line in kept if line["event"] == "request.answered" and line.get("trace_id") == TRACE]
    assert [line["status"] for line in answered] == [202]

    said = b"".join(collector.raw)
    for hidden in (PROMPT, bearer("alice")["Authorization"].split()[1], SECRET, "of-the-receiver", str(home)):
        assert hidden.encode() not in said
    assert sum(span.events for span in collector.spans) == 0
    assert {name for span in collector.spans for name in span.said} <= ALLOWED


ALLOWED = {
    "darkroom.attempt",
    "darkroom.device_seconds",
    "darkroom.dropped",
    "darkroom.event",
    "darkroom.image",
    "darkroom.job",
    "darkroom.model",
    "darkroom.outcome",
    "darkroom.request",
    "darkroom.stage",
    "darkroom.state",
    "darkroom.task",
    "darkroom.tenant",
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
}


def asked_often(gateway: Process, times: int) -> float:
    """Seconds that so many requests took, each refused for its key."""
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        began = time.monotonic()
        for _ in range(times):
            assert client.get(GENERATIONS).status_code == 401
        return time.monotonic() - began


def spans_dropped(gateway: Process) -> float:
    text = httpx.get(f"{gateway.url}/metrics", headers=bearer("alice"), trust_env=False).text
    return sum(float(found) for found in re.findall(r"^darkroom_spans_dropped_total{.*} (.+)$", text, re.MULTILINE))


def stopped(gateway: Process) -> float:
    """Seconds that it takes to end."""
    began = time.monotonic()
    gateway.popen.send_signal(signal.SIGTERM)
    assert gateway.popen.wait(30) is not None
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["hangs", "refuses"])
def test_a_collector_that_is_away_costs_no_request_anything(tmp_path: Path, how: str) -> None:
    with collecting() as collector, LocalRedis(tmp_path / "valkey", appendfsync="no") as redis:
        collector.hung.set()
        settings = {
            "DARKROOM_API_KEYS": json.dumps(API_KEYS),
            "DARKROOM_OTLP_ENDPOINT": collector.url if how == "hangs" else "http://127.0.0.1:9",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_BSP_MAX_QUEUE_SIZE": "64",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "32",
        }
        with process(tmp_path, redis.url, settings) as gateway:
            # More than the queue holds, while not one can be sent.
            assert asked_often(gateway, 300) < 15
            assert spans_dropped(gateway) > 0
            assert stopped(gateway) < 12
            said = [line["event"] for line in lines(gateway.log)]
    assert said.count("request.answered") >= 300
    assert said.count("traces.dropped") == 1, "once, and not with every batch"
    assert not re.search(r"Traceback|127\.0\.0\.1:9/", gateway.log.read_text())
