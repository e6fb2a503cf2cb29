"""Pictures to begin with, named by their URLs: of the public network, soon, and the plan knows nothing of where."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import httpx
import pytest

from api import desk
from darkroom.inputs import fetched
from darkroom.inputs.normal import normalise
from darkroom.outbound import Guard
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, client_of, problem_in
from tests.security.test_verify_urls import SECONDS, VERIFY, Serve, client_and_server, dripping, file, silent
from tests.unit.inputs.files import png_header, saved, scene

ASSETS = "/api/v1/assets"
PREPROCESS = "/api/v1/preprocess"
PICTURE = saved(scene(128, 128))
REF = normalise(PICTURE).ref

Body = Callable[[str], dict[str, Any]]
# Every field that holds a picture: where it is sent, and under which name it is found fault with.
FIELDS: dict[str, tuple[str, Body]] = {
    "image": (GENERATIONS, lambda url: {"prompt": "a", "image": url}),
    "mask": (GENERATIONS, lambda url: {"prompt": "a", "image": base64.b64encode(PICTURE).decode(), "mask": url}),
    "controlnets.0.image": (GENERATIONS, lambda url: {"prompt": "a", "controlnets": [{"type": "canny", "image": url}]}),
    "map": (PREPROCESS, lambda url: {"type": "canny", "image": url}),
}
INNER = ["http://127.0.0.1/a.png", "http://[::ffff:169.254.169.254]/", "file:///etc/passwd", "gopher://8.8.8.8/"]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(fake_services()) as client:
        yield client


@asynccontextmanager
async def elsewhere(serve: Serve) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    async with client_and_server(serve) as (client, url):
        yield client, url


@pytest.mark.parametrize("url", INNER)
@pytest.mark.parametrize("field", FIELDS)
async def test_an_inner_address_is_refused_by_the_name_of_its_field(
    client: httpx.AsyncClient, field: str, url: str
) -> None:
    path, body = FIELDS[field]
    answer = await client.post(path, json=body(url))
    problem = problem_in(answer)
    assert (answer.status_code, problem["code"]) == (422, "url_refused")
    assert problem["field"] == ("image" if field == "map" else field)
    assert url not in answer.text


async def test_the_plan_holds_what_was_fetched_and_not_from_where() -> None:
    async with elsewhere(file(PICTURE)) as (client, url):
        answer = await client.post(GENERATIONS, json={"prompt": "a", "image": url})
        assert answer.status_code == 202, answer.text
        assert answer.json()["plan"]["start"]["image"]["sha256"] == REF.sha256
        shown = (await client.get(f"{GENERATIONS}/{answer.json()['id']}")).text
        assert "pictures.test" not in answer.text + shown


async def test_one_url_in_two_fields_is_fetched_once() -> None:
    times = 0

    async def counting(writer: asyncio.StreamWriter) -> None:
        nonlocal times
        times += 1
        await file(PICTURE)(writer)

    async with elsewhere(counting) as (client, url):
        answer = await client.post(GENERATIONS, json={"prompt": "a", "image": url, "mask": url})
        assert answer.status_code == 202, answer.text
    assert times == 1


async def test_a_url_is_kept_as_an_asset_and_mapped_as_an_upload_is() -> None:
    async with elsewhere(file(PICTURE)) as (client, url):
        kept = await client.post(ASSETS, json={"url": url})
        assert (kept.status_code, kept.json()["id"]) == (201, REF.sha256), kept.text
        asked = await client.post(PREPROCESS, json={"type": "canny", "image": url}, headers={"Prefer": "wait=0"})
        assert asked.status_code == 202, asked.text


@pytest.mark.parametrize("data", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"GIF89a", png_header(9000, 9000)])
async def test_what_lies_there_is_read_by_the_one_loader(data: bytes) -> None:
    async with elsewhere(file(data)) as (client, url):
        answer = await client.post(GENERATIONS, json={"prompt": "a", "image": url})
        assert (answer.status_code, problem_in(answer)["field"]) == (422, "image")
        assert (await client.post(ASSETS, json={"url": url})).status_code == 422


async def test_more_bytes_than_json_could_hold_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched, "MOST_BYTES", len(PICTURE) - 1)
    async with elsewhere(file(PICTURE)) as (client, url):
        answer = await client.post(GENERATIONS, json={"prompt": "a", "image": url})
        assert (answer.status_code, problem_in(answer)["code"]) == (413, "payload_too_large")


@pytest.mark.slow
@pytest.mark.parametrize("serve", [silent, dripping])
async def test_five_that_dawdle_are_given_up_together_and_hold_up_no_decoder(serve: Serve) -> None:
    async with elsewhere(serve) as (client, url):
        controls = [{"type": "canny", "image": f"{url}?{index}"} for index in range(4)]
        begun = monotonic()
        asked = client.post(GENERATIONS, json={"prompt": "a", "image": url, "controlnets": controls})
        waiting = asyncio.create_task(asked)
        await asyncio.sleep(0.2)
        kept = await client.post(ASSETS, content=PICTURE, headers={"Content-Type": "image/png"})
        assert (kept.status_code, waiting.done()) == (201, False)
        answer = await waiting
        assert (answer.status_code, problem_in(answer)["code"]) == (422, "url_unreachable")
        assert monotonic() - begun < SECONDS


async def test_no_more_are_on_their_way_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "VISITORS", 0)
    async with elsewhere(file(PICTURE)) as (client, url):
        answer = await client.post(GENERATIONS, json={"prompt": "a", "image": url})
        assert (answer.status_code, problem_in(answer)["code"]) == (503, "over_capacity")
        assert answer.headers["Retry-After"]


@pytest.mark.parametrize("path", [ASSETS, VERIFY, *(path for path, _ in FIELDS.values())])
async def test_names_are_looked_up_on_behalf_of_who_named_them(path: str) -> None:
    asked_by: list[str] = []

    class Noting(Guard):
        def on_behalf_of(self, tenant: str) -> Guard:
            asked_by.append(tenant)
            return self

    body = {"url": INNER[0]} if path in (ASSETS, VERIFY) else dict(FIELDS.values())[path](INNER[0])
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(replace(services, guard=Noting()), "bob") as client:
        assert (await client.post(path, json=body)).status_code == 422
    assert asked_by == ["bob"]


async def test_the_document_tells_how_urls_fail(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    for path in (GENERATIONS, ASSETS, PREPROCESS):
        examples = paths[path]["post"]["responses"]["422"]["content"]["application/problem+json"]["examples"]
        assert {"url_refused", "url_unreachable"} <= set(examples)
