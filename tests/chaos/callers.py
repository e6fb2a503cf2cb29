"""Tenants who ask for pictures through failing gateways: each under one key, sent again until it is answered."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.stage import API_KEYS, TENANTS

GENERATIONS = "/api/v1/generations"
GIVE_UP_SECONDS = 120.0
PROMPTS = ("a red circle", "a blue square", "a green triangle on white", "two yellow stars")


@dataclass
class Accepted:
    """A job that we were told is recorded. `sent` counts requests until then; `canceled` is whether we asked for it."""

    tenant: str
    key: str
    body: dict[str, Any]
    job_id: str
    at: float
    sent: int
    canceled: bool = False


@dataclass
class Crowd:
    """`webhook`: makes the URL that is told of a job's end, from its key; None for no webhooks. `keyed`: requests have
    idempotency keys, without which none may be sent twice."""

    urls: Callable[[], list[str]]
    draws: random.Random
    webhook: Callable[[str], str] | None = None
    accepted: list[Accepted] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    keyed: bool = True
    retries: int = 0

    def __post_init__(self) -> None:
        self._client = httpx.AsyncClient(trust_env=False, timeout=15.0)
        self._number = 0
        self._cancels: set[asyncio.Task[None]] = set()

    async def ask(self) -> Accepted | None:
        """Have one more job accepted, and perhaps think better of it soon after. None when it was refused."""
        self._number += 1
        tenant, key = self.draws.choice(TENANTS), f"chaos-{self._number}"
        body = self._body(key)
        thinks_better = self.draws.uniform(0.0, 3.0) if self.draws.random() < 0.08 else None
        answer, sent = await self._until_answered(tenant, key, body)
        if answer is None or answer.status_code not in (200, 202):
            self.refused.append(f"{key}: {answer.status_code if answer else 'nothing'} {answer and answer.text[:300]}")
            return None
        job = Accepted(tenant, key, body, answer.json()["id"], time.time(), sent)
        self.accepted.append(job)
        if thinks_better is not None:
            task = asyncio.create_task(self._cancel(job, thinks_better))
            self._cancels.add(task)
            task.add_done_callback(self._cancels.discard)
        return job

    def _body(self, key: str) -> dict[str, Any]:
        draws = self.draws
        body: dict[str, Any] = {
            "prompt": draws.choice(PROMPTS),
            "width": 128,
            "height": 128,
            "steps": draws.randint(1, 4),
            "seed": self._number,
            "n": draws.choice((1, 1, 1, 2)),
            "output_format": draws.choice(("png", "jpeg", "webp")),
            "priority": draws.choice(("interactive", "interactive", "bulk")),
        }
        if self.webhook:
            body["webhook_url"] = self.webhook(key)
        return body

    async def _until_answered(self, tenant: str, key: str, body: dict[str, Any]) -> tuple[httpx.Response | None, int]:
        """The same request to any gateway, again while it dies, hangs or says to come back."""
        until, sent = time.monotonic() + GIVE_UP_SECONDS, 0
        answer = None
        while time.monotonic() < until:
            sent += 1
            headers = {"Idempotency-Key": key} if self.keyed else {}
            answer = await self.send("POST", tenant, GENERATIONS, json=body, headers=headers)
            if answer is not None and answer.status_code not in (429, 503):
                break
            self.retries += 1
            await asyncio.sleep(self.draws.uniform(0.1, 0.6))
        return answer, sent

    async def send(self, method: str, tenant: str, path: str, **more: Any) -> httpx.Response | None:
        headers = {"Authorization": f"Bearer {API_KEYS[tenant]}", **more.pop("headers", {})}
        try:
            return await self._client.request(method, self.draws.choice(self.urls()) + path, headers=headers, **more)
        except httpx.TransportError:
            return None

    async def _cancel(self, job: Accepted, seconds: float) -> None:
        await asyncio.sleep(seconds)
        job.canceled = True
        await self.send("DELETE", job.tenant, f"{GENERATIONS}/{job.job_id}")

    async def ask_again(self, job: Accepted) -> httpx.Response | None:
        """The same request once more, long after it was answered."""
        answer, _ = await self._until_answered(job.tenant, job.key, job.body)
        return answer

    async def close(self) -> None:
        await asyncio.gather(*self._cancels)
        await self._client.aclose()
