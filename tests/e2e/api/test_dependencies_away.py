"""What we stand on goes away: every route that needs it says so soon, and serves again when it is back."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from darkroom import planner
from darkroom.contract.generation import TextToImage
from darkroom.ledger.server import LocalRedis, free_port
from darkroom.provenance import Facts
from darkroom.services import Services, build_gateway_services, build_worker_services
from darkroom.settings import Settings
from tests.gateway import GENERATIONS, ask, client_of, finish_one, problem_in
from tests.unit.api.test_events import messages

pytestmark = [pytest.mark.slow, pytest.mark.timed]

UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
# "Within 2 s", and what two loaded cores take to notice.
SOON = 2.0 + 0.5

NEED_THE_LEDGER = [
    ("POST", GENERATIONS),
    ("GET", GENERATIONS),
    ("GET", f"{GENERATIONS}/{UNKNOWN}"),
    ("DELETE", f"{GENERATIONS}/{UNKNOWN}"),
    ("GET", f"{GENERATIONS}/{UNKNOWN}/events"),
    ("GET", f"{GENERATIONS}/{UNKNOWN}/images/0"),
    ("GET", "/readyz"),
]
DO_NOT = ["/livez", "/api/v1/models", "/api/v1/schedulers", "/api/v1/capabilities", "/openapi.json"]


def settings_for(home: Path, **given: object) -> Settings:
    return Settings.model_validate({"home": home, "store": "folder", "allow_anonymous": True, **given})


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[tuple[Services, httpx.AsyncClient]]:
    services = build_gateway_services(settings)
    async with client_of(services) as client:
        client.timeout = httpx.Timeout(10)
        yield services, client


async def timed(client: httpx.AsyncClient, method: str, path: str) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    answer = await client.request(method, path, json={"prompt": "a"} if method == "POST" else None)
    return answer, time.monotonic() - started


async def assert_all_refuse_soon(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(timed(client, method, path) for method, path in NEED_THE_LEDGER))
    for (method, path), (answer, seconds) in zip(NEED_THE_LEDGER, answers, strict=True):
        assert answer.status_code == 503, (method, path, answer.text)
        assert problem_in(answer)["code"] in ("ledger_unavailable", "not_ready")
        assert int(answer.headers["Retry-After"]) >= 1
        assert seconds < SOON, (method, path, seconds)


async def test_a_ledger_that_was_never_there_is_told_at_once(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, redis_url=SecretStr(f"redis://127.0.0.1:{free_port()}/0"))
    async with gateway(settings) as (_, client):
        await assert_all_refuse_soon(client)
        for path in DO_NOT:
            assert (await client.get(path)).status_code == 200, path
        metrics = await client.get("/metrics")
        assert 'darkroom_dependency_up{dependency="ledger"} 0.0' in metrics.text


async def test_a_ledger_that_hangs_is_told_soon_and_taken_back_when_it_wakes(tmp_path: Path) -> None:
    with LocalRedis(tmp_path / "valkey", appendfsync="no") as server:
        async with gateway(settings_for(tmp_path, redis_url=SecretStr(server.url))) as (_, client):
            job = await ask(client)
            os.kill(server.pid, signal.SIGSTOP)
            try:
                await assert_all_refuse_soon(client)
            finally:
                os.kill(server.pid, signal.SIGCONT)
            until = time.monotonic() + 5
            while (answer := await client.get(job["links"]["self"])).status_code == 503:
                assert time.monotonic() < until
                await asyncio.sleep(0.05)
            assert answer.json()["state"] == "queued"
            assert (await client.get("/readyz")).status_code == 200


async def test_a_listener_resumes_after_the_ledger_was_away(tmp_path: Path) -> None:
    with LocalRedis(tmp_path / "valkey") as server:
        async with gateway(settings_for(tmp_path, redis_url=SecretStr(server.url))) as (services, client):
            job = await ask(client)
            listening = asyncio.create_task(client.get(job["links"]["events"], timeout=30))
            await asyncio.sleep(0.3)
            port = int(server.url.split(":")[-1].split("/")[0])
            server.stop()
            heard = messages((await listening).text)
            assert [event["event"] for event in heard] == ["queued"]
            with LocalRedis(tmp_path / "valkey", port=port):
                await finish_one(services)
                again = await client.get(job["links"]["events"], headers={"Last-Event-ID": heard[-1]["id"]})
                assert [event["event"] for event in messages(again.text)] == ["running", "succeeded"]


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("kind", ["dead", "silent"])
async def test_a_store_that_is_away_is_told_soon(tmp_path: Path, kind: str) -> None:
    with LocalRedis(tmp_path / "valkey", appendfsync="no") as server, silent_server() as silent:
        settings = settings_for(
            tmp_path,
            redis_url=SecretStr(server.url),
            store="s3",
            s3_endpoint=f"http://127.0.0.1:{silent if kind == 'silent' else free_port()}",
            s3_access_key=SecretStr("access"),
            s3_secret_key=SecretStr("secret"),
        )
        picture = await marked_picture(settings)
        async with gateway(settings) as (_, client):
            ready, seconds = await timed(client, "GET", "/readyz")
            assert (ready.status_code, problem_in(ready)["code"]) == (503, "not_ready")
            assert seconds < SOON
            await client.post("/api/v1/provenance/verify", content=b"x", headers={"Content-Type": "image/png"})
            started = time.monotonic()  # with the process that looks at pictures already there
            verdict = await client.post(
                "/api/v1/provenance/verify", content=picture, headers={"Content-Type": "image/png"}
            )
            assert (verdict.status_code, problem_in(verdict)["code"]) == (503, "store_unavailable")
            assert int(verdict.headers["Retry-After"]) >= 1
            assert time.monotonic() - started < SOON
            assert (await ask(client))["state"] == "queued"


async def marked_picture(settings: Settings) -> bytes:
    """A picture of this service, whose mark sends the verifier to the store."""
    services = build_worker_services(settings)
    plan = planner.plan(TextToImage(prompt="a", seed=1), services.catalog, now=0.0)
    noise = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    pixels = np.kron(noise, np.ones((16, 16, 1), dtype=np.uint8))
    facts = Facts(job_id=UNKNOWN, index=0, tenant="local", plan=plan, seed=1, created_at=0.0)
    stamped = await asyncio.to_thread(services.stamper.stamp, pixels, facts, 0x123456789ABC)
    await services.close()
    return stamped.data
