"""The gateway as tests use it: a client without sockets, and a worker's part played by hand."""

import hashlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from api.app import create_app
from api.serve import Gateway
from darkroom.contract.job import Artifact, Failure, Job, JobState, Receipt
from darkroom.contract.plan import Notice
from darkroom.contract.safety import CheckerSeen, SafetyVerdict
from darkroom.ledger.protocol import Claim, Outcome
from darkroom.services import Services

BASE = "http://127.0.0.1:8000"
GENERATIONS = "/api/v1/generations"
PICTURE = b"\x89PNG\r\n\x1a\n not really, but the gateway does not look"

KEYS = {"alice": "dk_alice_0123456789", "bob": "dk_bob_0123456789"}
API_KEYS = {hashlib.sha256(key.encode()).hexdigest(): tenant for tenant, key in KEYS.items()}


def bearer(tenant: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[tenant]}"}


@asynccontextmanager
async def client_of(
    services: Services, tenant: str | None = None, base: str = BASE
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application over these services. Accidents become answers, as they do behind a socket."""
    app = create_app(services)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = bearer(tenant) if tenant else {}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client,
    ):
        yield client


async def ask(client: httpx.AsyncClient, **fields: Any) -> Any:
    """Submit a generation and return its resource."""
    answer = await client.post(GENERATIONS, json={"prompt": "a red circle", **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def claim_one(services: Services) -> Claim:
    (claim,) = await services.ledger.claim("worker-1", [services.catalog.default], 1)
    return claim


async def finish_one(services: Services, *notices: Notice) -> Job:
    """Take the next job in line, store a picture for each of its seeds, and end it."""
    claim = await claim_one(services)
    artifacts = tuple([await _store(services, claim, index) for index in range(len(claim.plan.seeds))])
    made = claim.plan.model_copy(update={"warnings": (*claim.plan.warnings, *notices)})
    receipt = Receipt(plan=made, versions={"darkroom": "test"}, device="cpu", device_seconds=0.5)
    outcome = Outcome(state=JobState.SUCCEEDED, artifacts=artifacts, receipt=receipt, device_seconds=0.5)
    return await services.ledger.finish(claim.job_id, claim.attempt, outcome)


async def fail_one(services: Services, code: str = "out_of_memory") -> Job:
    claim = await claim_one(services)
    failure = Failure(code=code, message="the device ran out of memory", retryable=True)
    return await services.ledger.finish(claim.job_id, claim.attempt, Outcome(state=JobState.FAILED, failure=failure))


async def block_one(services: Services) -> Job:
    """End the next job in line as one whose picture was flagged."""
    claim = await claim_one(services)
    verdict = SafetyVerdict(
        stage="output",
        subject="images.0",
        flagged=True,
        categories={"sexual": 0.93},
        reached={"sexual": 0.8},
        checkers=(CheckerSeen(name="scripted", version="0" * 64),),
        action="blocked",
    )
    receipt = Receipt(plan=claim.generation, versions={}, device="cpu", device_seconds=0.5, safety=(verdict,))
    failure = Failure(code="blocked", message=verdict.reason, retryable=False)
    outcome = Outcome(state=JobState.BLOCKED, receipt=receipt, failure=failure, device_seconds=0.5)
    return await services.ledger.finish(claim.job_id, claim.attempt, outcome)


async def _store(services: Services, claim: Claim, index: int) -> Artifact:
    key = f"images/{claim.job_id}/{index}.png"
    await services.store.put(key, PICTURE, media_type="image/png")
    return Artifact(
        index=index,
        key=key,
        media_type="image/png",
        bytes=len(PICTURE),
        sha256=hashlib.sha256(PICTURE).hexdigest(),
        width=claim.plan.width,
        height=claim.plan.height,
        seed=claim.plan.seeds[index],
        watermark_id="0123456789ab",
        manifest_id="urn:c2pa:test",
    )


@contextmanager
def served(services: Services) -> Iterator[tuple[str, int]]:
    """The gateway on a socket of its own, in a thread; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        gateway = Gateway(services)
        thread = threading.Thread(target=gateway.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname()
        finally:
            gateway.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def problem_in(answer: httpx.Response) -> dict[str, Any]:
    """The problem an answer holds, checked for its form."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    assert found["type"] == f"/docs/errors#{found['code']}"
    assert found["title"]
    assert found["detail"]
    return found
