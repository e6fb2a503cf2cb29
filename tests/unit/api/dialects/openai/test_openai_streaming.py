"""Streams of OpenAI's dialect: sketches, pictures, what went wrong, and callers that hang up."""

import asyncio
import base64
import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image

from api.app import create_app
from api.dialects.openai import streaming
from darkroom.contract.job import Job, JobState, Progress
from darkroom.errors import LedgerUnavailable, StoreUnavailable
from darkroom.ledger.protocol import Claim
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import PICTURE, claim_one, client_of, fail_one, finish_one
from tests.unit.api.dialects.openai.asking import GENERATIONS, the_job
from tests.until import until

ASKED = {"prompt": "a", "stream": True}


def frame(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(file, "JPEG")
    return file.getvalue()


def events_in(text: str) -> list[dict[str, Any]]:
    """Each event's data, its name checked against its type."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if lines:
            found.append(json.loads(lines["data"]))
            assert lines["event"] == found[-1]["type"]
    return found


async def shown(services: Services, claim: Claim, step: int, previews: int, colour: str) -> None:
    for index in range(len(claim.plan.seeds)):
        await services.ledger.show_preview(claim.job_id, claim.attempt, index, frame(colour))
    await services.ledger.report((claim.job_id, claim.attempt, Progress(step=step, steps=20, previews=previews)))


async def streamed(
    services: Services, client: httpx.AsyncClient, asked: dict[str, Any], work: Callable[[], Any]
) -> list[dict[str, Any]]:
    waiting = asyncio.ensure_future(client.post(GENERATIONS, json={**ASKED, **asked}))
    await the_job(services)
    await work()
    answer = await waiting
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    return events_in(answer.text)


async def test_each_picture_is_an_event_and_tokens_are_counted_once(
    services: Services, client: httpx.AsyncClient
) -> None:
    events = await streamed(services, client, {"n": 2, "quality": "low"}, lambda: finish_one(services))
    assert [event["type"] for event in events] == ["image_generation.completed"] * 2
    assert all(base64.b64decode(event["b64_json"]) == PICTURE for event in events)
    assert [event["usage"]["total_tokens"] for event in events] == [1, 0]
    assert {(event["size"], event["quality"], event["background"]) for event in events} == {
        ("128x128", "low", "opaque")
    }


class Worker:
    """One who shows `frames`, (step, colour) each, and waits until a listener had them."""

    def __init__(self, services: Services, monkeypatch: pytest.MonkeyPatch, *frames: tuple[int, str]) -> None:
        self._services, self._frames = services, frames
        self.read = 0
        events = services.ledger.events

        async def counted(*args: Any, **kwargs: Any) -> Any:
            found = await events(*args, **kwargs)
            self.read += sum(event.name == "progress" for event in found)
            return found

        monkeypatch.setattr(services.ledger, "events", counted)

    async def __call__(self) -> None:
        claim = await claim_one(self._services)
        for number, (step, colour) in enumerate(self._frames, start=1):
            await shown(self._services, claim, step, number, colour)
            await until(lambda number=number: self.read >= number, 60)  # type: ignore[misc]
            await asyncio.sleep(0.02)  # the sketch is made on a thread
        await finish_claimed(self._services, claim)


async def finish_claimed(services: Services, claim: Claim) -> Job:
    await services.ledger.release(claim.job_id, claim.attempt)
    return await finish_one(services)


async def test_sketches_are_few_spread_and_as_large_as_the_picture(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(services, monkeypatch, (1, "red"), (7, "lime"), (8, "red"), (14, "blue"), (19, "red"))
    events = await streamed(services, client, {"partial_images": 2, "size": "128x256"}, worker)
    *sketches, last = events
    assert last["type"] == "image_generation.completed"
    assert [event["type"] for event in sketches] == ["image_generation.partial_image"] * 2
    assert [event["partial_image_index"] for event in sketches] == [0, 1]
    pictures = [Image.open(io.BytesIO(base64.b64decode(event["b64_json"]))) for event in sketches]
    assert [(each.format, each.size) for each in pictures] == [("PNG", (128, 256))] * 2
    lime, blue = (each.getpixel((64, 64)) for each in pictures)
    assert lime[1] > 200 > 60 > lime[2]  # type: ignore[index]
    assert blue[2] > 200 > 60 > blue[1]  # type: ignore[index]


async def test_nobody_is_shown_sketches_that_were_not_asked_for(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = await streamed(services, client, {}, Worker(services, monkeypatch, (10, "red")))
    assert [event["type"] for event in events] == ["image_generation.completed"]


async def test_a_sketch_that_cannot_be_had_is_left_out(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> bytes:
        raise LedgerUnavailable("Redis does not answer")

    monkeypatch.setattr(services.ledger, "preview", away)
    events = await streamed(services, client, {"partial_images": 1}, Worker(services, monkeypatch, (10, "red")))
    assert [event["type"] for event in events] == ["image_generation.completed"]


async def test_a_failure_is_the_last_event(services: Services, client: httpx.AsyncClient) -> None:
    (event,) = await streamed(services, client, {}, lambda: fail_one(services))
    assert event["type"] == "error"
    assert event["error"]["code"] == "out_of_memory"
    assert event["error"]["message"] == "the device ran out of memory"


async def test_a_store_that_is_away_at_the_end_is_an_event(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str) -> bytes:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr(services.store, "get", away)
    monkeypatch.setattr("api.dialects.pictures.PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr("api.dialects.pictures.AWAY_SECONDS", 0.001)
    (event,) = await streamed(services, client, {}, lambda: finish_one(services))
    assert (event["type"], event["error"]["type"]) == ("error", "server_error")


async def test_an_outage_meanwhile_is_waited_out(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "AWAY_SECONDS", 0.001)
    events, outages = services.ledger.events, iter(range(3))

    async def shaky(*args: Any, **kwargs: Any) -> Any:
        if next(outages, None) is not None:
            raise LedgerUnavailable("Redis does not answer")
        return await events(*args, **kwargs)

    monkeypatch.setattr(services.ledger, "events", shaky)
    (event,) = await streamed(services, client, {}, lambda: finish_one(services))
    assert event["type"] == "image_generation.completed"


async def test_silence_is_broken_so_that_no_proxy_cuts_it(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PING_SECONDS", 0.01)
    monkeypatch.setattr(streaming, "_SLICE_SECONDS", 0.005)
    waiting = asyncio.ensure_future(client.post(GENERATIONS, json=ASKED))
    await the_job(services)
    await asyncio.sleep(0.05)
    await finish_one(services)
    assert ": ping" in (await waiting).text


async def test_a_wait_in_vain_is_told_and_leaves_no_work() -> None:
    services = fake_services(compat_wait=0.02)
    async with client_of(services) as client:
        answer = await client.post(GENERATIONS, json=ASKED)
    (event,) = events_in(answer.text)
    assert event["error"]["code"] == "wait_timed_out"
    assert await states(services) == [JobState.CANCELED]


async def states(services: Services) -> list[JobState]:
    return [job.state for job in (await services.ledger.jobs("local", limit=9, cursor=None)).jobs]


async def hung_up(services: Services, key: str | None = None) -> None:
    """One who asks for a stream, and leaves when it has begun."""
    app = create_app(services)
    begun = asyncio.Event()
    body = [{"type": "http.request", "body": json.dumps(ASKED).encode(), "more_body": False}]

    async def receive() -> Any:
        if body:
            return body.pop()
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            begun.set()

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    headers += [(b"idempotency-key", key.encode())] if key else []
    scope = {"type": "http", "method": "POST", "path": GENERATIONS, "raw_path": GENERATIONS.encode(), "root_path": ""}
    scope |= {"query_string": b"", "scheme": "http", "headers": headers, "server": ("127.0.0.1", 80)}
    scope |= {"client": ("127.0.0.1", 9), "http_version": "1.1", "asgi": {"version": "3.0", "spec_version": "2.3"}}
    async with asyncio.timeout(60):
        await app(scope, receive, send)


async def test_who_hangs_up_leaves_no_work() -> None:
    services = fake_services()
    await hung_up(services)
    assert await states(services) == [JobState.CANCELED]


async def test_who_hangs_up_with_an_idempotency_key_may_come_back() -> None:
    services = fake_services()
    await hung_up(services, "k")
    assert await states(services) == [JobState.QUEUED]
    async with client_of(services) as client:
        waiting = asyncio.ensure_future(client.post(GENERATIONS, json=ASKED, headers={"Idempotency-Key": "k"}))
        await finish_one(services)
        assert events_in((await waiting).text)[0]["type"] == "image_generation.completed"


async def test_where_too_many_wait_there_is_no_work_either(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.desk.LISTENERS", 0)
    async with client_of(services) as client:
        answer = await client.post(GENERATIONS, json=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "over_capacity")
    assert await states(services) == []
