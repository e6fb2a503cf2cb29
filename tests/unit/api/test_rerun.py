"""A generation made again."""

import asyncio
import base64
from dataclasses import replace
from typing import Any

import httpx
import pytest

from darkroom.catalog import Catalog
from darkroom.contract.job import JobState
from darkroom.inputs.shelf import input_key
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, ask, bearer, claim_one, client_of, fail_one, finish_one, problem_in
from tests.unit.inputs.files import saved, scene

IMAGE = base64.b64encode(saved(scene(128, 128))).decode()


async def again(client: httpx.AsyncClient, job_id: str, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(f"{GENERATIONS}/{job_id}/rerun", json=body, headers=named)


async def test_a_rerun_is_a_new_generation_of_the_same_plan(services: Services, client: httpx.AsyncClient) -> None:
    first = await ask(client, n=2, metadata={"shelf": "three"})
    await finish_one(services)
    answer = await client.post(f"{GENERATIONS}/{first['id']}/rerun")
    assert answer.status_code == 202, answer.text
    second = answer.json()
    assert answer.headers["Location"] == second["links"]["self"]
    assert (second["state"], second["plan"]) == ("queued", first["plan"])
    assert second["id"] != first["id"]
    assert (await claim_one(services)).job_id == second["id"]


async def test_a_rerun_may_have_other_seeds(client: httpx.AsyncClient) -> None:
    first = await ask(client, n=2, seed=7)
    other = (await again(client, first["id"], {"seed": 2**32 - 1})).json()
    assert other["plan"] == {**first["plan"], "seeds": [2**32 - 1, 0]}
    drawn = {tuple((await again(client, first["id"], {"seed": "random"})).json()["plan"]["seeds"]) for _ in range(3)}
    assert len(drawn) == 3


@pytest.mark.parametrize("body", [{"seed": -1}, {"seed": True}, {"seed": "7"}, {"steps": 3}, [], {"seed": 2**32}])
async def test_nothing_else_can_be_asked_of_a_rerun(client: httpx.AsyncClient, body: Any) -> None:
    first = await ask(client)
    problem = problem_in(await again(client, first["id"], body))
    assert (problem["status"], problem["code"]) == (422, "invalid_field")


async def test_a_deadline_is_as_long_as_it_was(services: Services, client: httpx.AsyncClient) -> None:
    first = await ask(client, deadline=500)
    second = (await again(client, first["id"])).json()
    assert second["plan"]["deadline_at"] == pytest.approx(first["plan"]["deadline_at"], abs=5)
    assert second["plan"]["deadline_at"] != first["plan"]["deadline_at"]


async def test_what_failed_and_what_was_given_up_can_be_made_again() -> None:
    services = fake_services(max_attempts=1)
    async with client_of(services) as client:
        failed = (await ask(client))["id"]
        await fail_one(services)
        dead = (await ask(client))["id"]
        await claim_one(services)
        await services.ledger.abandon("worker-1", "child died: signal 9")
        await services.ledger.reap()
        for job_id in (failed, dead):
            second = (await again(client, job_id)).json()
            assert (second["failure"], second["lost_attempts"]) == (None, [])
            assert (await finish_one(services)).state is JobState.SUCCEEDED


async def test_only_the_owner_can_make_it_again() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services, "alice") as client:
        first = await ask(client)
        answer = await client.post(f"{GENERATIONS}/{first['id']}/rerun", headers=bearer("bob"))
        unknown = await client.post(f"{GENERATIONS}/01ARZ3NDEKTSV4RRFFQ69G5FAV/rerun", headers=bearer("bob"))
    assert problem_in(answer) == problem_in(unknown)
    assert answer.status_code == 404


async def test_a_key_makes_a_rerun_happen_once(client: httpx.AsyncClient) -> None:
    first, other = await ask(client), await ask(client)
    answers = await asyncio.gather(*(again(client, first["id"], Idempotency_Key="k") for _ in range(3)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert sorted(replayed, key=str) == [None, "true", "true"]
    for body, job in ({"seed": 1}, first), (None, other):
        problem = problem_in(await again(client, job["id"], body, Idempotency_Key="k"))
        assert problem["code"] == "idempotency_mismatch"


async def test_a_picture_that_is_gone_is_said_to_be(services: Services, client: httpx.AsyncClient) -> None:
    first = await ask(client, image=IMAGE)
    sha256 = first["plan"]["start"]["image"]["sha256"]
    kept = await again(client, first["id"], Idempotency_Key="k")
    assert kept.status_code == 202
    await services.store.delete(input_key("local", sha256))
    problem = problem_in(await again(client, first["id"]))
    assert (problem["status"], problem["code"]) == (410, "gone")
    assert sha256 in problem["detail"]
    replayed = await again(client, first["id"], Idempotency_Key="k")
    assert replayed.json()["id"] == kept.json()["id"], "a replay needs no picture"


async def test_a_model_that_was_replaced_or_removed_is_said_to_be(services: Services) -> None:
    async with client_of(services) as client:
        first = await ask(client)
    spec = services.catalog.spec("tiny")
    others = [
        spec.model_copy(update={"weights": {**spec.weights, "unet/x.safetensors": "ab" * 32}}),
        spec.model_copy(update={"name": "other"}),
    ]
    for model in others:
        async with client_of(replace(services, catalog=Catalog([model], default=model.name))) as client:
            problem = problem_in(await again(client, first["id"]))
        assert (problem["status"], problem["code"]) == (410, "gone")
        assert "tiny" in problem["detail"]


async def test_its_webhook_hears_of_a_rerun_too() -> None:
    services = fake_services(webhook_secrets={"local": ["whsec_" + "A" * 43 + "="]})
    async with client_of(services) as client:
        first = await ask(client, webhook_url="https://example.com/hook")
        second = (await again(client, first["id"])).json()
    jobs = [await services.ledger.get("local", job["id"]) for job in (first, second)]
    assert jobs[0].webhook is not None
    assert jobs[0].webhook == jobs[1].webhook
