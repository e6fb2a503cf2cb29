"""One whole run with canaries for all that is secret, and then a look at everything that was left behind."""

import asyncio
import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from darkroom.ledger.server import LocalRedis
from tests.e2e.worker.service import running
from tests.gateway import API_KEYS, GENERATIONS, KEYS, bearer
from tests.servers.collector import Collector, collecting
from tests.servers.gateway_process import process
from tests.until import until

PREFIX = "canaries"
PROMPT = f"canary{secrets.token_hex(8)}"
NEGATIVE = f"canary{secrets.token_hex(8)}"
REMARK = f"canary{secrets.token_hex(8)}"
WATERMARK_SECRET = secrets.token_hex(32)
# What SillyTavern puts into the bodies of its requests.
PASSWORD = f"canary{secrets.token_hex(8)}"
# Whom a client of OpenAI says it calls for.
USER = f"canary{secrets.token_hex(8)}"
PASSWORD_OF_BASIC = base64.b64encode(f"anybody:{KEYS['alice']}".encode()).decode()
PROMPTS = [word.encode() for word in (PROMPT, NEGATIVE, REMARK)]


def value_of(client: "Redis[bytes]", key: bytes) -> bytes:
    """Everything a key holds, as bytes to be searched."""
    match client.type(key):
        case b"string":
            return client.get(key) or b""
        case b"hash":
            return b"\n".join(part for pair in client.hgetall(key).items() for part in pair)
        case b"list":
            return b"\n".join(client.lrange(key, 0, -1))
        case b"set":
            return b"\n".join(client.smembers(key))
        case b"zset":
            return b"\n".join(client.zrange(key, 0, -1))
        case b"stream":
            return repr(client.xrange(key)).encode()
    raise AssertionError(client.type(key))


def held_in(redis: LocalRedis) -> dict[bytes, bytes]:
    with Redis.from_url(redis.url) as client:
        return {key: value_of(client, key) for key in client.keys("*")}


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found(words: list[bytes], places: dict[Any, bytes]) -> list[Any]:
    return [place for place, data in places.items() if any(word in data for word in words)]


async def ended(client: httpx.AsyncClient, job_id: str) -> Any:
    async with asyncio.timeout(120):
        while True:
            job = (await client.get(f"{GENERATIONS}/{job_id}")).json()
            if job["state"] in ("succeeded", "failed"):
                return job
            await asyncio.sleep(0.1)


async def linked_picture(client: httpx.AsyncClient) -> str:
    """The signature of a link to a picture that was asked for, and fetched, in the words of OpenAI."""
    asked = {"prompt": "a blue square", "steps": 2, "user": USER, "response_format": "url"}
    headers = {"Authorization": f"Basic {PASSWORD_OF_BASIC}", "Idempotency-Key": "three"}
    answer = await client.post("/v1/images/generations", json=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    link = httpx.URL(answer.json()["data"][0]["url"])
    assert (await client.get(link)).status_code == 200
    return str(link.params["signature"])


def told_of_all(collector: Collector) -> bool:
    """Whether spans of what was made, of what was refused and of links to pictures have come."""
    statuses = {span.said.get("http.response.status_code") for span in collector.spans}
    routes = {span.said.get("http.route") for span in collector.spans}
    return (
        "job" in collector.names()
        and {200, 202, 422} <= statuses
        and {GENERATIONS, "/metrics"} & routes == {GENERATIONS}
    )


@pytest.mark.slow
async def test_no_canary_is_found_anywhere_after_a_whole_run(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    settings = {
        "DARKROOM_API_KEYS": json.dumps(API_KEYS),
        "DARKROOM_KEY_PREFIX": PREFIX,
        "DARKROOM_WATERMARK_SECRET": WATERMARK_SECRET,
    }
    with collecting() as collector, LocalRedis(tmp_path / "valkey", appendfsync="no") as redis:
        settings |= {"DARKROOM_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        told = {"watermark_secret": WATERMARK_SECRET, "log_level": "debug", "otlp_endpoint": collector.url}
        async with running(home, redis.url, PREFIX, **told) as worker:
            await worker.in_state("ready")
            with process(home, redis.url, settings | {"DARKROOM_LOG_LEVEL": "debug"}) as gateway:
                headers = bearer("alice") | {"Idempotency-Key": "once"}
                async with httpx.AsyncClient(base_url=gateway.url, headers=headers, trust_env=False) as client:
                    asked = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "metadata": {"mine": REMARK}, "seed": 1}
                    answer = await client.post(GENERATIONS, json={**asked, "steps": 2})
                    assert answer.status_code == 202, answer.text
                    await client.post(GENERATIONS, json={**asked, "steps": PROMPT})  # refused, and not repeated
                    sent = {
                        "prompt": "a red circle",
                        "steps": 2,
                        "auth": f"user:{PASSWORD}",
                        "url": f"http://{PASSWORD}",
                    }
                    as_others_do = await client.post("/sdapi/v1/txt2img", json=sent, headers={"Idempotency-Key": "two"})
                    assert as_others_do.status_code == 200, as_others_do.text
                    refused = await client.post("/sdapi/v1/txt2img", json={**sent, "n_iter": PASSWORD})
                    assert refused.status_code == 422, refused.text
                    linked = await linked_picture(client)
                    job = await ended(client, answer.json()["id"])
                    assert job["state"] == "succeeded", job
                    picture = (await client.get(job["images"][0]["url"])).content
                    public = {"metrics": (await client.get("/metrics")).content, "picture": picture}
                    public |= {"answer": as_others_do.content, "refusal": refused.content}
                    public["readyz"] = (await client.get("/readyz")).content
                    await until(lambda: told_of_all(collector), 30)
                await asyncio.to_thread(worker.supervisor.poll)
                environments = {
                    f"env {pid}": Path(f"/proc/{pid}/environ").read_bytes() for pid in (gateway.popen.pid, os.getpid())
                }
            kept = held_in(redis)
    private = [data for data in files_in(home / "pki").values() if b"PRIVATE KEY" in data]
    assert private
    signing = [data.split(b"PRIVATE KEY-----\n")[1][:60] for data in private]
    keys = [key.encode() for key in KEYS.values()]
    hidden = [
        PASSWORD.encode(),
        USER.encode(),
        WATERMARK_SECRET.encode(),
        bytes.fromhex(WATERMARK_SECRET),
        *signing,
        b"PRIVATE KEY",
    ]

    logs = {name: data for name, data in files_in(home).items() if name.endswith((".log", ".json"))}
    store = files_in(home / "store")
    assert len(kept) > 5
    assert len(store) >= 2
    assert any(name.endswith("gateway.log") and b"request.answered" in data for name, data in logs.items())
    assert any(name.endswith("worker.log") and b"job.ended" in data for name, data in logs.items())
    spans = dict(enumerate(collector.raw))
    for places in (kept, logs, store, public, spans):
        assert found(keys + hidden, places) == []
    assert found([linked.encode(), PASSWORD_OF_BASIC.encode()], {**kept, **logs, **store, **spans}) == []
    assert found([*keys, *signing], environments) == []
    # The record of a job holds what was asked for, to make it and to show it to its owner; nothing else does.
    assert found(PROMPTS, kept) == [key for key in kept if f":job:{job['id']}".encode() in key]
    assert [key for key in kept if key.startswith(b"rq:") and b"canary" in kept[key]] == []
    for places in (logs, store, public, spans):
        assert found(PROMPTS, places) == []
