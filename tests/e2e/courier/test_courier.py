"""Couriers as processes, over a real server, for a receiver that fails half of the time: nothing missing, nothing
under two ids, whoever is killed when."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from standardwebhooks import Webhook

from darkroom.contract.webhook import ENDS, DeliveryState
from darkroom.contract.webhook import Webhook as Told
from darkroom.ledger.deliveries import Wanted
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import LocalRedis, free_port
from darkroom.outbound import admitted
from tests.integration.ledger.making import submission
from tests.receiver import SECRET, Message, Receiver, hangs, receiving, says

pytestmark = pytest.mark.slow

TIMEOUT = 1.0
LEASE = TIMEOUT + 10


@contextmanager
def courier(
    home: Path, redis_url: str, prefix: str, receiver: Receiver, **changed: str
) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "HOME": str(home),
        "REDIS_URL": redis_url,
        "KEY_PREFIX": prefix,
        "WEBHOOK_SECRETS": json.dumps({"ann": [SECRET]}),
        "WEBHOOK_SCHEDULE": json.dumps([0, *[0.1] * 19]),
        "WEBHOOK_TIMEOUT": str(TIMEOUT),
        "OUTBOUND_ALLOW": '["127.0.0.0/8"]',
        "OUTBOUND_PORTS": json.dumps([receiver.port]),
        **changed,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    environment |= {f"DARKROOM_{name}": value for name, value in settings.items()}
    with (home / "courier.log").open("ab") as log:
        run = [sys.executable, "-P", "-m", "darkroom", "courier"]
        process = subprocess.Popen(run, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Jobs:
    """Jobs that ended, and what the receiver should hear of them."""

    def __init__(self, ledger: RedisLedger, receiver: Receiver) -> None:
        self.ledger, self.receiver = ledger, receiver
        self.deliveries: set[str] = set()

    async def end(self, count: int) -> None:
        url = self.receiver.url
        webhook = Told(url=url, host=admitted(url, self.receiver.guard), base="http://here", events=ENDS)
        for _ in range(count):
            job_id = (await self.ledger.submit(submission(webhook=webhook))).job.id
            await self.ledger.cancel("ann", job_id)
            self.deliveries.add(f"msg_{job_id}_1")

    async def delivered(self, seconds: float) -> None:
        """Return when all have been. Raises: TimeoutError."""
        async with asyncio.timeout(seconds):
            while (backlog := await self.ledger.deliveries.backlog()).pending:
                assert backlog.pending <= len(self.deliveries)
                await asyncio.sleep(0.05)

    async def states(self) -> Counter[DeliveryState]:
        page = await self.ledger.deliveries.list("ann", Wanted(), limit=1000)
        return Counter(delivery.state for delivery in page.deliveries)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def jobs(valkey: LocalRedis, key_prefix: str, receiver: Receiver) -> AsyncIterator[Jobs]:
    ledger = RedisLedger(valkey.url, prefix=key_prefix)
    try:
        yield Jobs(ledger, receiver)
    finally:
        await ledger.close()


def half_fails(seed: int) -> tuple[Any, Counter[str]]:
    """An answer that is half of the time a 500 or none, and what was truly received, by id."""
    draw, received = random.Random(seed), Counter[str]()

    async def answer(receiver: Receiver, message: Message, writer: asyncio.StreamWriter) -> None:
        luck = draw.random()
        if luck < 0.05:
            await hangs(receiver, message, writer)
        elif luck < 0.5:
            await says(500)(receiver, message, writer)
        else:
            received[message.id] += 1
            await says(200)(receiver, message, writer)

    return answer, received


async def test_killed_couriers_lose_nothing_and_send_nothing_under_two_ids(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str, receiver: Receiver, jobs: Jobs
) -> None:
    receiver.answer, received = half_fails(seed=5)
    await jobs.end(150)
    started = time.monotonic()
    for passes in (3, 9, 20):
        crash = {"CRASH_AT": f"webhook_sent_unmarked:{passes}"}
        with courier(tmp_path, valkey.url, key_prefix, receiver, **crash) as dying:
            assert await asyncio.to_thread(dying.wait, 60) == -signal.SIGKILL
    with courier(tmp_path, valkey.url, key_prefix, receiver):
        await jobs.delivered(90)
    seconds = time.monotonic() - started
    assert set(received) == jobs.deliveries
    assert await jobs.states() == {DeliveryState.DELIVERED: 150}
    bodies = {(message.id, message.body) for message in receiver.messages}
    assert len(bodies) == 150  # one body an id, on every attempt
    twice = [delivery for delivery, times in received.items() if times > 1]
    assert len(twice) <= 3 * 64, "no more than were under way when a courier died"
    for message in receiver.messages[-20:]:
        assert Webhook(SECRET).verify(message.body, message.headers)["data"]["state"] == "canceled"
    assert seconds < 90


async def test_what_was_sent_and_not_noted_comes_again_under_its_id_when_the_lease_is_over(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str, receiver: Receiver, jobs: Jobs
) -> None:
    await jobs.end(1)
    with courier(tmp_path, valkey.url, key_prefix, receiver, CRASH_AT="webhook_sent_unmarked:1") as dying:
        assert await asyncio.to_thread(dying.wait, 60) == -signal.SIGKILL
    first = time.monotonic()
    with courier(tmp_path, valkey.url, key_prefix, receiver):
        await receiver.got(2, LEASE + 20)
        assert time.monotonic() - first > LEASE - 3
        await jobs.delivered(5)
    assert {message.id for message in receiver.messages} == jobs.deliveries
    assert receiver.messages[0].body == receiver.messages[1].body
    assert len(receiver.messages) == 2


async def test_a_courier_shows_its_metrics_and_keeps_secrets_to_itself(
    tmp_path: Path, valkey: LocalRedis, key_prefix: str, receiver: Receiver, jobs: Jobs
) -> None:
    await jobs.end(3)
    port = free_port()
    with courier(tmp_path, valkey.url, key_prefix, receiver, COURIER_METRICS_PORT=str(port)) as running:
        await receiver.got(3, 60)
        await jobs.delivered(10)
        shown = await asyncio.to_thread(_get, port)
        running.terminate()
        assert await asyncio.to_thread(running.wait, 20) == 0
    assert 'darkroom_webhook_attempts_total{outcome="2xx"} 3.0' in shown
    assert "darkroom_webhook_lag_seconds_count 3.0" in shown
    told = (tmp_path / "courier.log").read_text() + shown + await _everything(valkey.url)
    assert "delivery.attempted" in told
    assert SECRET.removeprefix("whsec_") not in told
    assert "of-the-receiver" not in (tmp_path / "courier.log").read_text()


def _get(port: int) -> str:
    return httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text


async def _everything(url: str) -> str:
    """All that the server holds, as text."""
    client = Redis.from_url(url)
    try:
        dumps = [await client.dump(key) async for key in client.scan_iter("*")]
    finally:
        await client.aclose()
    return b" ".join(dump for dump in dumps if dump).decode("latin-1")
