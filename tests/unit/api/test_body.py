import asyncio
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from starlette.requests import Request

from api import body, strict_json
from api.desk import VISITORS
from darkroom.contract.generation import TextToImage
from darkroom.errors import MalformedBody, PayloadTooLarge, UnsupportedMediaType
from tests.gateway import GENERATIONS, problem_in

JSON = {"Content-Type": "application/json"}


def request_of(pieces: Iterable[bytes], headers: dict[str, str] | None = None) -> Request:
    """A request whose body arrives in these pieces; after them the caller falls silent."""
    left = list(pieces)

    async def receive() -> dict[str, object]:
        if not left:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


async def test_a_body_is_counted_while_it_streams() -> None:
    with pytest.raises(PayloadTooLarge):
        await body.read_body(request_of([b"x" * 60, b"x" * 60, b"never asked for"]), limit=100)


async def test_a_body_declared_too_long_is_not_read_at_all() -> None:
    with pytest.raises(PayloadTooLarge):
        await body.read_body(request_of([], {"Content-Length": "101"}), limit=100)


async def test_a_compressed_body_is_not_read_at_all() -> None:
    with pytest.raises(UnsupportedMediaType):
        await body.read_body(request_of([], {"Content-Encoding": "gzip"}), limit=100)


async def test_a_caller_that_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "IDLE_SECONDS", 0.01)
    with pytest.raises(MalformedBody):
        await body.read_body(request_of([b"half"]), limit=100)


async def test_a_caller_that_trickles_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "TOTAL_SECONDS", 0.02)

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.005)
        return {"type": "http.request", "body": b"x", "more_body": True}

    trickle = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(MalformedBody):
        await body.read_body(trickle, limit=100)


async def test_a_body_that_was_cut_off_is_malformed() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    with pytest.raises(MalformedBody):
        await body.read_body(Request({"type": "http", "method": "POST", "headers": []}, receive), limit=100)


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json+x"]
)
async def test_only_json_is_taken_for_json(client: httpx.AsyncClient, media_type: str) -> None:
    answer = await client.post(GENERATIONS, content=b'{"prompt": "a"}', headers={"Content-Type": media_type})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in problem_in(answer)["detail"]


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8"])
async def test_json_may_say_its_charset(client: httpx.AsyncClient, media_type: str) -> None:
    answer = await client.post(GENERATIONS, content=b'{"prompt": "a"}', headers={"Content-Type": media_type})
    assert answer.status_code == 202


async def test_json_is_bounded_also_in_chunks(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 65536

    answer = await client.post(GENERATIONS, content=endless(), headers=JSON)
    assert (answer.status_code, problem_in(answer)["code"]) == (413, "payload_too_large")
    assert sent <= body.MAX_JSON_BYTES / 65536 + 2


async def test_a_long_body_of_brackets_is_refused_before_it_is_parsed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []
    monkeypatch.setattr(strict_json, "parse", parsed.append)
    brackets = b'{"prompt":"a","x":[' + b"[]," * (body.LONG_BYTES // 3) + b"[]]}"
    answer = await client.post(GENERATIONS, content=brackets, headers=JSON)
    assert (answer.status_code, problem_in(answer)["code"], parsed) == (400, "malformed_body", [])


@pytest.mark.parametrize("declared", [None, body.LONG_BYTES + 1])
async def test_long_bodies_are_read_by_few_at_a_time_and_short_ones_by_all(
    client: httpx.AsyncClient, declared: int | None
) -> None:
    arrived, over = asyncio.Semaphore(0), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        arrived.release()
        await over.wait()
        yield b"{}" if declared is None else b" " * declared

    headers = JSON if declared is None else {**JSON, "Content-Length": str(declared)}
    reading = [asyncio.create_task(client.post(GENERATIONS, content=slow(), headers=headers)) for _ in range(VISITORS)]
    for _ in reading:
        await arrived.acquire()
    refused = await client.post(GENERATIONS, content=slow(), headers=headers)
    assert (refused.status_code, int(refused.headers["Retry-After"]) >= 2) == (503, True)
    assert (await client.post(GENERATIONS, json={"prompt": "a"})).status_code == 202
    over.set()
    assert {answer.status_code for answer in await asyncio.gather(*reading)} <= {400, 422}
    assert (await client.post(GENERATIONS, content=slow(), headers=headers)).status_code in (400, 422)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"prompt": "a", "steps": True}, ["steps"]),
        ({"prompt": "a", "steps": "20"}, ["steps"]),
        ({"prompt": "a", "steps": 20.5}, ["steps"]),
        ({"prompt": "a", "guidance_scale": False}, ["guidance_scale"]),
        ({"prompt": "a", "seed": 2**64}, ["seed"]),
        ({"prompt": "a", "nsfw_bypass": 1}, ["nsfw_bypass"]),
        ({"prompt": 1, "n": 0, "<b>": 1}, ["<b>", "n", "prompt"]),
        ({"prompt": "a", "metadata": {"k": 1}}, ["metadata.k"]),
        ({"prompt": "a\0b"}, ["prompt"]),
        ({}, ["prompt"]),
    ],
)
async def test_every_wrong_field_is_named(client: httpx.AsyncClient, fields: object, wrong: list[str]) -> None:
    answer = await client.post(GENERATIONS, json=fields)
    assert answer.status_code == 422
    found = problem_in(answer)
    named = [error["field"] for error in found.get("errors", [{"field": found["field"]}])]
    assert sorted(named) == sorted("?" if "<" in name else name for name in wrong)


async def test_a_thousand_wrong_fields_are_not_all_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a", **{f"field_{index}": 1 for index in range(1000)}})
    found = problem_in(answer)
    assert len(found["errors"]) == 20
    assert found["detail"].startswith("1000 fields are wrong; ")


@pytest.mark.parametrize("text", ['{"prompt":"a","n":2}', '{"prompt":"a","guidance_scale":7,"metadata":{"a":"b"}}'])
def test_a_request_reads_the_same_from_text_and_from_objects(text: str) -> None:
    """Strictness in JSON mode is what we serve; the contract has no type yet for which the two would differ."""
    import json

    assert TextToImage.model_validate_json(text) == TextToImage.model_validate(json.loads(text))
