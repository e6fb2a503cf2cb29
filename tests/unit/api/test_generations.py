import asyncio
from dataclasses import replace
from datetime import datetime

import httpx
import pytest

from api import submission
from darkroom.contract.plan import Notice
from darkroom.errors import BrokenWeights, LedgerUnavailable
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import BASE, GENERATIONS, ask, claim_one, client_of, fail_one, finish_one, problem_in


async def test_asking_is_answered_at_once_with_a_job_to_follow(client: httpx.AsyncClient) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a red circle", "seed": 7})
    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) >= 1
    job = answer.json()
    assert answer.headers["Location"] == f"{BASE}{GENERATIONS}/{job['id']}" == job["links"]["self"]
    assert (job["state"], job["queue"]["position"], job["images"], job["receipt"]) == ("queued", 0, [], None)
    assert job["plan"]["seeds"] == [7]
    assert (await client.get(job["links"]["self"])).json() == job


async def test_the_wire_says_when_in_utc(client: httpx.AsyncClient) -> None:
    assert (await ask(client))["created_at"].endswith("Z")


async def test_a_request_reaches_the_plan_as_it_was_asked(client: httpx.AsyncClient) -> None:
    asked = {
        "prompt": "two blue squares",
        "negative_prompt": "red",
        "width": 128,
        "height": 256,
        "steps": 12,
        "guidance_scale": 3.5,
        "scheduler": "euler",
        "seed": 4,
        "output_format": "webp",
        "output_compression": 80,
        "deterministic": True,
        "priority": "bulk",
        "metadata": {"shelf": "three"},
    }
    plan = (await ask(client, **asked, n=2))["plan"]
    assert {name: plan[name] for name in asked if name != "seed"} == {k: v for k, v in asked.items() if k != "seed"}
    assert plan["seeds"] == [4, 5]


async def test_whole_numbers_may_carry_a_point(client: httpx.AsyncClient) -> None:
    plan = (await ask(client, steps=12.0, guidance_scale=3))["plan"]
    assert (plan["steps"], plan["guidance_scale"]) == (12, 3.0)


async def test_what_had_no_effect_is_said(client: httpx.AsyncClient) -> None:
    warnings = (await ask(client, output_format="png", output_compression=50))["warnings"]
    assert [warning["field"] for warning in warnings] == ["output_compression"]


async def test_a_finished_generation_shows_its_pictures_and_its_receipt(
    services: Services, client: httpx.AsyncClient
) -> None:
    job_id = (await ask(client, n=2))["id"]
    await finish_one(services)
    job = (await client.get(f"{GENERATIONS}/{job_id}")).json()
    assert job["state"] == "succeeded"
    assert [image["url"] for image in job["images"]] == [f"{BASE}{GENERATIONS}/{job_id}/images/{i}" for i in (0, 1)]
    assert job["receipt"] == {"versions": {"darkroom": "test"}, "device": "cpu", "device_seconds": 0.5}
    moments = [datetime.fromisoformat(job[f"{name}_at"]) for name in ("created", "started", "finished", "expires")]
    assert moments == sorted(moments)
    assert "key" not in job["images"][0]
    assert "tenant" not in job


async def test_what_only_the_model_could_tell_is_a_warning_of_the_finished_generation(
    services: Services, client: httpx.AsyncClient
) -> None:
    job_id = (await ask(client, output_format="png", output_compression=50))["id"]
    notice = Notice(field="prompt", reason="the last 3 words were not read")
    await finish_one(services, notice)
    job = (await client.get(f"{GENERATIONS}/{job_id}")).json()
    assert [warning["field"] for warning in job["warnings"]] == ["output_compression", "prompt"]
    assert job["warnings"] == job["plan"]["warnings"]
    (listed,) = (await client.get(GENERATIONS)).json()["generations"]
    assert listed["warnings"] == job["warnings"]


async def test_a_failed_generation_says_why(services: Services, client: httpx.AsyncClient) -> None:
    job_id = (await ask(client))["id"]
    await fail_one(services)
    job = (await client.get(f"{GENERATIONS}/{job_id}")).json()
    assert (job["state"], job["failure"]["code"], job["failure"]["retryable"]) == ("failed", "out_of_memory", True)


async def test_urls_are_those_of_the_public_address() -> None:
    services = fake_services(allow_anonymous=True, public_url="https://pictures.example/")
    async with client_of(services) as client:
        job = await ask(client)
    assert job["links"]["self"] == f"https://pictures.example{GENERATIONS}/{job['id']}"


async def test_position_counts_those_ahead(client: httpx.AsyncClient) -> None:
    assert [(await ask(client))["queue"]["position"] for _ in range(3)] == [0, 1, 2]


async def test_the_same_key_and_body_give_the_first_generation(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "order-66"}
    first = await client.post(GENERATIONS, json={"prompt": "a red circle"}, headers=key)
    # What was spelled out as its default is the same request.
    second = await client.post(GENERATIONS, json={"n": 1, "prompt": "a red circle"}, headers=key)
    assert second.status_code == 202
    assert second.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"


async def test_the_same_key_with_another_body_is_a_conflict(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "order-66"}
    await client.post(GENERATIONS, json={"prompt": "a red circle"}, headers=key)
    answer = await client.post(GENERATIONS, json={"prompt": "a blue circle"}, headers=key)
    assert (answer.status_code, problem_in(answer)["code"]) == (409, "idempotency_mismatch")


@pytest.mark.parametrize("key", ["", "a b", "k" * 256, "tab\there"])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert problem_in(answer)["field"] == "idempotency-key"


async def test_waiting_is_rewarded_with_the_finished_generation(services: Services, client: httpx.AsyncClient) -> None:
    asking = asyncio.create_task(client.post(GENERATIONS, json={"prompt": "a"}, headers={"Prefer": "wait=30"}))
    while not await services.ledger.waiting():
        await asyncio.sleep(0)
    await finish_one(services)
    answer = await asking
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=30")
    assert answer.json()["state"] == "succeeded"
    assert "Retry-After" not in answer.headers


@pytest.mark.slow
async def test_waiting_ends_when_the_time_is_up(client: httpx.AsyncClient) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a"}, headers={"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers
    assert answer.json()["state"] == "queued"


async def test_a_ledger_that_goes_away_does_not_take_back_what_was_accepted(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise LedgerUnavailable("gone")

    for method in ("events", "foresee", "get"):
        monkeypatch.setattr(services.ledger, method, away)
    for headers in ({}, {"Prefer": "wait=10"}):
        answer = await client.post(GENERATIONS, json={"prompt": "a"}, headers=headers)
        assert (answer.status_code, answer.json()["state"]) == (202, "queued")


async def test_a_replay_of_what_has_ended_need_not_wait(services: Services, client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k", "Prefer": "wait=60"}
    await client.post(GENERATIONS, json={"prompt": "a"}, headers={"Idempotency-Key": "k"})
    await finish_one(services)
    answer = await client.post(GENERATIONS, json={"prompt": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")


async def test_a_lost_bell_is_nobodys_concern_but_ours(services: Services) -> None:
    class BrokenBells:
        async def ring(self, model: str) -> None:
            raise LedgerUnavailable("no bell today")

    async with client_of(replace(services, bells=BrokenBells())) as client:
        assert (await ask(client))["state"] == "queued"


async def test_the_list_is_newest_first_and_goes_on_at_its_cursor(client: httpx.AsyncClient) -> None:
    ids = [(await ask(client))["id"] for _ in range(3)]
    first = (await client.get(GENERATIONS, params={"limit": 2})).json()
    second = (await client.get(GENERATIONS, params={"limit": 2, "cursor": first["cursor"]})).json()
    assert [job["id"] for job in first["generations"] + second["generations"]] == ids[::-1]
    assert second["cursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("cursor=nonsense", "cursor")],
)
async def test_a_page_that_cannot_be_is_refused(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"{GENERATIONS}?{query}")
    assert (answer.status_code, problem_in(answer)["field"]) == (422, field)


async def test_cancelling_ends_a_waiting_generation(client: httpx.AsyncClient) -> None:
    job_id = (await ask(client))["id"]
    answer = await client.delete(f"{GENERATIONS}/{job_id}")
    assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
    assert (await client.get(f"{GENERATIONS}/{job_id}")).json()["state"] == "canceled"


async def test_cancelling_ends_a_running_generation(services: Services, client: httpx.AsyncClient) -> None:
    job_id = (await ask(client))["id"]
    await claim_one(services)
    assert (await client.delete(f"{GENERATIONS}/{job_id}")).json()["state"] == "canceled"


async def test_what_has_ended_stays_as_it_ended(services: Services, client: httpx.AsyncClient) -> None:
    job_id = (await ask(client))["id"]
    await finish_one(services)
    answer = await client.delete(f"{GENERATIONS}/{job_id}")
    assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_id_is_not_found(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, f"{GENERATIONS}/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("job_id", ["x", "..", "%00", "a:b", "%ED%A0%80", "9" * 5000, "01arz3ndektsv4rrffq69g5fav"])
@pytest.mark.parametrize(("method", "call"), [("GET", "get"), ("DELETE", "cancel")])
async def test_what_cannot_be_an_id_is_not_found_and_never_asked_for(
    services: Services,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    job_id: str,
    method: str,
    call: str,
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(services.ledger, call, asked.append)
    answer = await client.request(method, f"{GENERATIONS}/{job_id}")
    assert (answer.status_code, problem_in(answer)["code"], asked) == (404, "not_found", [])


async def test_a_full_service_says_when_to_come_back() -> None:
    async with client_of(fake_services(allow_anonymous=True, max_queued=1)) as client:
        await ask(client)
        answer = await client.post(GENERATIONS, json={"prompt": "a"})
    assert (answer.status_code, problem_in(answer)["code"]) == (503, "queue_full")
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["retryable"] is True


async def test_a_tenant_at_its_limit_is_told_so() -> None:
    async with client_of(fake_services(allow_anonymous=True, max_queued_per_tenant=1)) as client:
        await ask(client)
        answer = await client.post(GENERATIONS, json={"prompt": "a"})
    assert (answer.status_code, problem_in(answer)["code"]) == (429, "tenant_limit")
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_broken_model_is_told_with_when_to_ask_again(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenWeights("unet/model.safetensors", "is cut short")

    monkeypatch.setattr(submission.planner, "plan", broken)
    answer = await client.post(GENERATIONS, json={"prompt": "a"})
    assert (answer.status_code, problem_in(answer)["code"]) == (503, "broken_weights")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"prompt": "a" * 10_001}, "prompt", "10000 characters"),
        ({"prompt": "a", "metadata": {"k": "v" * 513}}, "metadata.k", "512 characters"),
        ({"prompt": "a\0"}, "prompt", "must not contain NUL"),
        ({"prompt": "a", "model": "../etc"}, "model", "no such name; known: tiny"),
    ],
)
async def test_a_refusal_is_in_words_for_people(
    client: httpx.AsyncClient, fields: dict[str, object], field: str, words: str
) -> None:
    told = problem_in(await client.post(GENERATIONS, json=fields))
    assert told["field"] == field
    assert words in told["detail"]
    assert not any(piece in told["detail"] for piece in ("Value error", "items", "^["))


@pytest.mark.parametrize(
    ("headers", "query"), [({"Idempotency-Key": "a b"}, ""), ({}, "?cursor=x"), ({"Idempotency-Key": "k" * 256}, "")]
)
async def test_no_regular_expression_is_shown(client: httpx.AsyncClient, headers: dict[str, str], query: str) -> None:
    method = "GET" if query else "POST"
    answer = await client.request(method, f"{GENERATIONS}{query}", json={"prompt": "a"}, headers=headers)
    told = problem_in(answer)
    assert answer.status_code == 422
    assert "must be" in told["detail"]
    assert "^[" not in answer.text
