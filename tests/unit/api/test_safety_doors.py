"""What is blocked, and what could not be looked at, in the words of every door."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from darkroom.contract.job import Failure, JobState
from darkroom.contract.webhook import LentDelivery
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import Outcome
from darkroom.services import Services
from darkroom.webhooks.message import message
from tests.checkers import Scripted, wicked, words
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, ask, block_one, claim_one, client_of
from tests.until import until

DOORS: dict[str, tuple[str, Any]] = {
    "native": (GENERATIONS, {"prompt": "WORDS"}),
    "openai": ("/v1/images/generations", {"prompt": "WORDS"}),
    "a1111": ("/sdapi/v1/txt2img", {"prompt": "WORDS"}),
    "hf": ("/hf/models/tiny", {"inputs": "WORDS"}),
    "replicate": ("/replicate/v1/models/a/tiny/predictions", {"input": {"prompt": "WORDS"}}),
}


@pytest.fixture
def checker() -> Scripted:
    return Scripted(wicked)


@pytest.fixture
def services(checker: Scripted) -> Services:
    return replace(fake_services(safety={"prompt": "block"}), words=words(checker))


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(services) as client:
        yield client


def asked_at(door: str, prompt: str) -> tuple[str, Any]:
    path, body = DOORS[door]
    return path, json.loads(json.dumps(body).replace("WORDS", prompt))


async def waiting(services: Services) -> None:
    assert isinstance(services.ledger, MemoryLedger)
    lines = services.ledger.lines
    await until(lambda: bool(list(lines.waiting())))


@pytest.mark.parametrize("door", DOORS)
async def test_every_door_refuses_a_flagged_prompt(
    services: Services, client: httpx.AsyncClient, checker: Scripted, door: str
) -> None:
    path, body = asked_at(door, "a wicked circle")
    refused = await client.post(path, json=body)
    assert refused.status_code == 400, refused.text
    assert "prompt was flagged: sexual 0.93" in refused.text
    assert "wicked" not in refused.text
    assert len(checker.seen) == 1
    assert await services.ledger.waiting() == {}


@pytest.mark.parametrize("door", DOORS)
async def test_every_door_says_that_words_could_not_be_looked_at(
    client: httpx.AsyncClient, checker: Scripted, door: str
) -> None:
    checker.broken = True
    path, body = asked_at(door, "a red circle")
    # One client of Hugging Face's asks again after a 503 without end.
    assert (await client.post(path, json=body)).status_code == (500 if door == "hf" else 503)


@pytest.mark.parametrize(
    ("door", "names", "code"),
    [
        ("openai", ("error", "code"), "moderation_blocked"),
        ("a1111", ("error",), "blocked"),
        ("hf", ("code",), "blocked"),
    ],
)
async def test_every_door_tells_in_its_own_shape_that_a_picture_was_flagged(
    services: Services, client: httpx.AsyncClient, door: str, names: tuple[str, ...], code: str
) -> None:
    path, body = asked_at(door, "a red circle")
    asking = asyncio.create_task(client.post(path, json=body))
    await waiting(services)
    await block_one(services)
    refused = await asking
    assert refused.status_code == 400
    assert "image 0 was flagged: sexual 0.93 (threshold 0.80)" in refused.text
    told = refused.json()
    for name in names:
        told = told[name]
    assert told == code


async def test_a_prediction_of_replicate_failed_with_the_reason(services: Services, client: httpx.AsyncClient) -> None:
    path, body = asked_at("replicate", "a red circle")
    made = (await client.post(path, json=body)).json()
    await block_one(services)
    shown = (await client.get(f"/replicate/v1/predictions/{made['id']}")).json()
    assert (shown["status"], shown["output"]) == ("failed", None)
    assert shown["error"] == "image 0 was flagged: sexual 0.93 (threshold 0.80)"


async def test_a_prediction_that_would_not_be_looked_at_is_told_that_it_is(client: httpx.AsyncClient) -> None:
    path, body = asked_at("replicate", "a red circle")
    body["input"]["disable_safety_checker"] = True
    made = await client.post(path, json=body)
    assert "field=input.disable_safety_checker" in made.headers["darkroom-warning"]


async def test_a_blocked_generation_says_why_and_has_no_pictures(services: Services, client: httpx.AsyncClient) -> None:
    made = await ask(client)
    await block_one(services)
    shown = (await client.get(made["links"]["self"])).json()
    assert (shown["state"], shown["images"], shown["failure"]["code"]) == ("blocked", [], "blocked")
    assert [(each["subject"], each["action"]) for each in shown["safety"]] == [("images.0", "blocked")]
    assert (await client.get(f"{made['links']['self']}/images/0")).status_code == 404


async def test_a_receiver_is_told_what_was_flagged(services: Services, client: httpx.AsyncClient) -> None:
    await ask(client)
    job = await block_one(services)
    lent = LentDelivery(
        id="d",
        tenant="local",
        job_id=job.id,
        event="generation.blocked",
        url="https://hooks.test/",
        base="http://here.test",
        lane="hooks.test local",
        created_at=0.0,
        number=1,
        turn=0,
        body=None,
    )
    told = json.loads(message(lent, job, kept_for=60))
    assert (told["type"], told["data"]["state"], told["data"]["images"]) == ("generation.blocked", "blocked", [])
    assert told["data"]["failure"]["message"] == "image 0 was flagged: sexual 0.93 (threshold 0.80)"
    assert [each["reached"] for each in told["data"]["safety"]] == [{"sexual": 0.8}]


async def test_pictures_that_could_not_be_looked_at_are_not_made_again_by_an_sdk(
    services: Services, client: httpx.AsyncClient
) -> None:
    path, body = asked_at("openai", "a red circle")
    asking = asyncio.create_task(client.post(path, json=body))
    await waiting(services)
    claim = await claim_one(services)
    failure = Failure(code="safety_unavailable", message="image 0 was not looked at", retryable=True)
    await services.ledger.finish(claim.job_id, claim.attempt, Outcome(state=JobState.FAILED, failure=failure))
    refused = await asking
    assert (refused.status_code, refused.json()["error"]["darkroom_code"]) == (422, "safety_unavailable")
    assert "retry-after" not in refused.headers
