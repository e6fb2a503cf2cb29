"""A key makes a request happen once, whatever becomes of the gateway that took it."""

import base64
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from darkroom.ledger.server import LocalRedis
from tests.gateway import GENERATIONS
from tests.servers.gateway_process import ANONYMOUS, process
from tests.unit.inputs.files import saved, scene

pytestmark = pytest.mark.slow

REPLAYS = 200
WORDS = {"prompt": "a red circle"}
PICTURE = {"prompt": "a red circle", "image": base64.b64encode(saved(scene(128, 128))).decode(), "n": 2}
DYING = {**ANONYMOUS, "DARKROOM_CRASH_AT": "after_commit_before_reply:1"}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[LocalRedis]:
    with LocalRedis(tmp_path / "valkey") as redis:
        yield redis


def asked(client: httpx.Client, body: dict[str, Any], key: str) -> httpx.Response:
    return client.post(GENERATIONS, json=body, headers={"Idempotency-Key": key})


def test_a_gateway_that_dies_between_commit_and_reply_leaves_one_job(tmp_path: Path, redis: LocalRedis) -> None:
    keys = {str(uuid.uuid4()): body for body in (WORDS, PICTURE)}
    for key, body in keys.items():
        with process(tmp_path, redis.url, DYING) as dying, httpx.Client(base_url=dying.url, trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                asked(client, body, key)
            assert dying.popen.wait(10) == -9
    with (
        process(tmp_path, redis.url) as next_one,
        httpx.Client(base_url=next_one.url, trust_env=False, timeout=30) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        requests = [(body, key) for key, body in keys.items()] * (REPLAYS // len(keys))
        answers = list(threads.map(lambda request: asked(client, *request), requests))
        assert {answer.status_code for answer in answers} == {202}
        assert {answer.headers.get("Idempotency-Replayed") for answer in answers} == {"true"}
        listed = client.get(GENERATIONS).json()["generations"]
        assert len(listed) == len(keys)
        assert {answer.json()["id"] for answer in answers} == {job["id"] for job in listed}
        other = asked(client, {**WORDS, "seed": 1}, next(iter(keys)))
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


def test_two_at_once_are_one(tmp_path: Path, redis: LocalRedis) -> None:
    with (
        process(tmp_path, redis.url) as one,
        process(tmp_path, redis.url) as other,
        httpx.Client(trust_env=False, timeout=30) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        for body in (WORDS, PICTURE):
            key = {"Idempotency-Key": str(uuid.uuid4())}
            urls = [f"{gateway.url}{GENERATIONS}" for gateway in (one, other)] * 4
            answers = list(threads.map(lambda url, key=key, body=body: client.post(url, json=body, headers=key), urls))
            assert len({answer.json()["id"] for answer in answers}) == 1
            replayed = [answer.headers.get("Idempotency-Replayed") for answer in answers]
            assert replayed.count(None) == 1
