"""Predictions over fake services, with the worker's part played by hand."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import httpx
import pytest
from fastapi import Request

from api.dialects.replicate import predictions
from api.waiting import wait_for_end
from darkroom.contract.job import Job, Progress
from darkroom.contract.prediction import version_of
from darkroom.ledger.protocol import Ledger
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, BASE, PICTURE, bearer, claim_one, client_of, fail_one, finish_one

HERE = "/replicate/v1/predictions"
OF_MODEL = "/replicate/v1/models/someone/tiny/predictions"
ASKED = {"input": {"prompt": "a cat", "seed": 7, "num_inference_steps": 10}}
INLINE = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"


@pytest.fixture
def services() -> Services:
    return fake_services()


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(services) as client:
        yield client


async def create(client: httpx.AsyncClient, **headers: str) -> Any:
    answer = await client.post(OF_MODEL, json=ASKED, headers=headers)
    assert answer.status_code in (201, 202), answer.text
    return answer.json()


async def finished_meanwhile(services: Services, answer: Awaitable[httpx.Response]) -> httpx.Response:
    asking = asyncio.ensure_future(answer)
    async with asyncio.timeout(5):
        while not (asking.done() or await services.ledger.waiting()):
            await asyncio.sleep(0.001)
    if not asking.done():
        await finish_one(services)
    return await asking


async def test_a_prediction_begins_with_what_was_asked_for(services: Services, client: httpx.AsyncClient) -> None:
    made = await create(client)
    assert made["status"] == "starting"
    assert made["model"] == "darkroom/tiny"
    assert made["version"] == version_of(services.catalog.specs()[0].weights)
    assert (made["output"], made["error"], made["completed_at"], made["metrics"]) == (None, None, None, {})
    told = {name: made["input"][name] for name in ("prompt", "seed", "num_inference_steps", "width", "scheduler")}
    assert told == {"prompt": "a cat", "seed": 7, "num_inference_steps": 10, "width": 128, "scheduler": "ddim"}
    assert made["urls"]["get"] == f"{BASE}{HERE}/{made['id']}"
    assert made["urls"]["cancel"] == f"{BASE}{HERE}/{made['id']}/cancel"


async def test_a_model_may_be_named_in_every_way(services: Services, client: httpx.AsyncClient) -> None:
    version = version_of(services.catalog.specs()[0].weights)
    for named in (
        {"version": version},
        {"version": f"someone/tiny:{version}"},
        {"version": "someone/tiny"},
        {"model": "tiny"},
    ):
        answer = await client.post(HERE, json={**ASKED, **named})
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == answer.json()["urls"]["get"]


@pytest.mark.parametrize(
    ("named", "detail"),
    [
        ({}, "- version: name a version, or a model as owner/name"),
        ({"version": 7}, "- version: name a version"),
        ({"version": "ab" * 32}, "- version: no model named "),
        ({"version": f"someone/tiny:{'ab' * 32}"}, "- version: no such version: what is served now is "),
        ({"model": "someone/else"}, "- model: no model named "),
    ],
)
async def test_what_is_not_served_is_refused(client: httpx.AsyncClient, named: dict[str, Any], detail: str) -> None:
    answer = await client.post(HERE, json={**ASKED, **named})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(detail)


async def test_progress_and_end_are_seen(services: Services, client: httpx.AsyncClient) -> None:
    made = await create(client)
    claim = await claim_one(services)
    await services.ledger.report((claim.job_id, claim.attempt, Progress(step=5, steps=10)))
    running = (await client.get(f"{HERE}/{made['id']}")).json()
    assert running["status"] == "processing"
    assert running["logs"] == "Using seed: 7\n 50%|█████     | 5/10\n"
    assert running["started_at"]
    await services.ledger.release(claim.job_id, claim.attempt)
    await finish_one(services)
    ended = (await client.get(f"{HERE}/{made['id']}")).json()
    assert ended["status"] == "succeeded"
    assert ended["output"] == [INLINE]
    assert ended["metrics"]["predict_time"] >= 0


async def test_who_prefers_to_wait_gets_the_end(services: Services, client: httpx.AsyncClient) -> None:
    answer = await finished_meanwhile(services, client.post(OF_MODEL, json=ASKED, headers={"Prefer": "wait"}))
    assert (answer.status_code, answer.json()["status"]) == (201, "succeeded")


async def test_what_is_not_finished_in_time_is_starting_also_while_it_runs(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def wait(ledger: Ledger, job: Job, seconds: float, request: Request) -> Job:
        waits.append(seconds)
        return await wait_for_end(ledger, job, seconds, request)

    monkeypatch.setattr(predictions, "wait_for_end", wait)
    asking = asyncio.create_task(client.post(OF_MODEL, json=ASKED, headers={"Prefer": "wait=1"}))
    while not await services.ledger.waiting():
        await asyncio.sleep(0.001)
    await claim_one(services)
    answer = await asking
    assert waits == [0.7]  # the clients hang up half a second after what they ask for
    assert (answer.status_code, answer.json()["status"]) == (202, "starting")
    assert (await client.get(f"{HERE}/{answer.json()['id']}")).json()["status"] == "processing"


async def test_a_failure_is_told(services: Services, client: httpx.AsyncClient) -> None:
    made = await create(client)
    await fail_one(services)
    failed = (await client.get(f"{HERE}/{made['id']}")).json()
    assert (failed["status"], failed["error"]) == ("failed", "the device ran out of memory")
    assert failed["output"] is None


async def test_one_is_canceled_and_one_that_ended_stays(services: Services, client: httpx.AsyncClient) -> None:
    made = await create(client)
    for _ in range(2):
        answer = await client.post(f"{HERE}/{made['id']}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")


async def test_pages_are_followed_to_their_end(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.dialects.replicate.predictions._PAGE", 2)
    made = [(await create(client))["id"] for _ in range(3)]
    await finish_one(services)
    first = (await client.get(HERE)).json()
    assert [each["id"] for each in first["results"]] == made[:0:-1]
    second = (await client.get(first["next"])).json()
    assert [each["id"] for each in second["results"]] == made[:1]
    assert second["results"][0]["output"][0].startswith(f"{BASE}/api/v1/pictures/")
    assert (second["next"], second["previous"]) == (None, None)


async def test_pictures_are_links_where_the_service_is_reached_by_https(services: Services) -> None:
    async with client_of(services, base="https://127.0.0.1:8000") as client:
        made = await create(client)
        await finish_one(services)
        (url,) = (await client.get(f"{HERE}/{made['id']}")).json()["output"]
        assert url.startswith("https://127.0.0.1:8000/api/v1/pictures/")
        assert (await client.get(url)).content == PICTURE


async def test_too_many_bytes_are_links_too(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.dialects.replicate.answers.MOST_INLINE", 3)
    made = await create(client)
    await finish_one(services)
    (url,) = (await client.get(f"{HERE}/{made['id']}")).json()["output"]
    assert url.startswith(f"{BASE}/api/v1/pictures/")


async def test_what_has_no_effect_is_told_in_a_header(client: httpx.AsyncClient) -> None:
    body = {"input": {"prompt": "a", "apply_watermark": False}}
    answer = await client.post(OF_MODEL, json=body)
    said = "field=input.apply_watermark; reason=every picture is marked and signed"
    assert answer.headers["darkroom-warning"] == said


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"width": 1024}, "- input.width: must be from 128 to 512 for tiny"),
        ({"image": "http://127.0.0.1/"}, "- input.image: "),
        ({"num_outputs": 99}, "- input.num_outputs: "),
        ({"width": "a", "height": "b"}, "- input.width: Input should be a valid integer\n- input.height: "),
    ],
)
async def test_a_refusal_names_the_field(client: httpx.AsyncClient, fields: dict[str, Any], detail: str) -> None:
    answer = await client.post(OF_MODEL, json={"input": {"prompt": "a", **fields}})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(detail)


async def test_a_key_that_was_used_before_is_answered_with_the_first(client: httpx.AsyncClient) -> None:
    first = await create(client, **{"Idempotency-Key": "k1"})
    again = await create(client, **{"Idempotency-Key": "k1"})
    assert first["id"] == again["id"]


async def test_nobody_sees_or_cancels_what_is_another_s() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services) as client:
        assert (await client.post(OF_MODEL, json=ASKED)).status_code == 401
        made = (await client.post(OF_MODEL, json=ASKED, headers=bearer("alice"))).json()
        for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/events")):
            theirs = await client.request(method, f"{HERE}/{made['id']}{path}", headers=bearer("bob"))
            assert theirs.status_code == 404
            assert (await client.request(method, f"{HERE}/{made['id']}{path}")).status_code == 401
        assert (await client.get(HERE, headers=bearer("bob"))).json()["results"] == []
        assert (await client.get(f"{HERE}/nonsense", headers=bearer("bob"))).status_code == 404
