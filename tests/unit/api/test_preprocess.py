"""Control maps over HTTP: asked for, waited for, found again, and each tenant's own."""

import asyncio
import base64
from dataclasses import replace
from typing import Any

import httpx
import pytest

from darkroom.contract.job import Failure, JobState
from darkroom.contract.preprocess import PREPROCESSING, PreprocessPlan
from darkroom.inputs.maps import remember
from darkroom.inputs.normal import normalise
from darkroom.inputs.shelf import keep
from darkroom.ledger.protocol import Claim, Outcome
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, client_of, problem_in
from tests.unit.inputs.files import saved, scene

PREPROCESS = "/api/v1/preprocess"
PICTURE = base64.b64encode(saved(scene())).decode()
CANNY = {"type": "canny", "image": PICTURE}


async def claimed(services: Services) -> Claim:
    while True:
        for claim in await services.ledger.claim("worker-1", [PREPROCESSING], 1):
            return claim
        await asyncio.sleep(0.001)


async def make_one(services: Services) -> Claim:
    """A worker's part: a map for the next in line, which is the picture itself turned around."""
    claim = await claimed(services)
    assert isinstance(claim.plan, PreprocessPlan)
    ref = await keep(services.store, claim.tenant, normalise(saved(scene()[::-1])))
    await remember(services.store, claim.tenant, claim.plan.map_name, ref)
    await services.ledger.finish(claim.job_id, claim.attempt, Outcome(state=JobState.SUCCEEDED))
    return claim


async def ask(client: httpx.AsyncClient, prefer: str = "wait=0", **fields: Any) -> httpx.Response:
    return await client.post(PREPROCESS, json={**CANNY, **fields}, headers={"Prefer": prefer})


async def test_a_map_is_waited_for_while_somebody_makes_maps(client: httpx.AsyncClient, services: Services) -> None:
    await services.ledger.attend("worker-1", [PREPROCESSING])
    answer, claim = await asyncio.gather(client.post(PREPROCESS, json=CANNY), make_one(services))
    made = answer.json()
    assert (answer.status_code, made["id"], made["state"], made["type"]) == (200, claim.job_id, "succeeded", "canny")
    assert made["map"]["id"] == normalise(saved(scene()[::-1])).ref.sha256
    assert (made["map"]["width"], made["map"]["height"]) == (24, 16)
    shown = await client.get(f"/api/v1/assets/{made['map']['id']}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")


async def test_where_nobody_makes_maps_the_answer_says_where_to_look(
    client: httpx.AsyncClient, services: Services
) -> None:
    answer = await client.post(PREPROCESS, json=CANNY)
    assert (answer.status_code, answer.json()["state"], answer.json()["map"]) == (202, "queued", None)
    assert int(answer.headers["Retry-After"]) >= 1
    await make_one(services)
    looked = await client.get(answer.headers["Location"])
    assert (looked.status_code, looked.json()["state"]) == (200, "succeeded")
    assert looked.json()["map"]["id"]


async def test_the_same_map_is_made_once_however_it_is_asked_for(client: httpx.AsyncClient, services: Services) -> None:
    first, second = await asyncio.gather(ask(client), ask(client))
    assert first.json()["id"] == second.json()["id"]
    await make_one(services)
    asset = (await client.post("/api/v1/assets", content=saved(scene()), headers={"Content-Type": "image/png"})).json()
    for image in (PICTURE, f"data:image/png;base64,{PICTURE}", asset["id"]):
        again = await ask(client, image=image)
        assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, None, "succeeded")
    assert await services.ledger.waiting() == {}


@pytest.mark.parametrize("other", [{"type": "scribble"}, {"detect_resolution": 256}])
async def test_another_type_or_resolution_is_another_map(
    other: dict[str, Any], client: httpx.AsyncClient, services: Services
) -> None:
    await ask(client)
    await make_one(services)
    assert (await ask(client, **other)).status_code == 202


async def test_a_map_that_could_not_be_made_is_tried_anew_when_asked_again(
    client: httpx.AsyncClient, services: Services
) -> None:
    failed = await ask(client)
    claim = await claimed(services)
    why = Failure(code="preprocessor_failed", message="no map", retryable=False)
    await services.ledger.finish(claim.job_id, claim.attempt, Outcome(state=JobState.FAILED, failure=why))
    looked = (await client.get(failed.headers["Location"])).json()
    assert (looked["state"], looked["failure"]["code"], looked["map"]) == ("failed", "preprocessor_failed", None)
    again = await ask(client)
    assert again.json()["state"] == "queued"
    assert again.json()["id"] != claim.job_id


async def test_after_failures_too_all_who_ask_for_a_map_wait_for_one_job(
    client: httpx.AsyncClient, services: Services
) -> None:
    why = Failure(code="preprocessor_failed", message="no map", retryable=False)
    for _ in range(3):
        answers = await asyncio.gather(*(ask(client) for _ in range(4)))
        assert len({answer.json()["id"] for answer in answers}) == 1
        claim = await claimed(services)
        await services.ledger.finish(claim.job_id, claim.attempt, Outcome(state=JobState.FAILED, failure=why))
    assert await services.ledger.waiting() == {}


async def test_a_map_that_was_canceled_is_not_made_until_it_is_asked_for_again(
    client: httpx.AsyncClient, services: Services
) -> None:
    asked = (await ask(client)).json()
    canceled = await client.delete(f"{PREPROCESS}/{asked['id']}")
    assert (canceled.status_code, canceled.json()["state"]) == (200, "canceled")
    assert await services.ledger.waiting() == {}
    again = (await ask(client)).json()
    assert (again["state"], again["id"] != asked["id"]) == ("queued", True)


async def test_a_generation_is_not_canceled_as_a_map(client: httpx.AsyncClient) -> None:
    generation = (await client.post(GENERATIONS, json={"prompt": "a red circle"})).json()
    assert (await client.delete(f"{PREPROCESS}/{generation['id']}")).status_code == 404
    assert (await client.get(f"{GENERATIONS}/{generation['id']}")).json()["state"] == "queued"


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"type": "depth"}, "type", "preprocessor_unavailable"),
        ({"type": "lineart"}, "type", "invalid_field"),
        ({"image": "bm90IGEgcGljdHVyZQ=="}, "image", "invalid_field"),
        ({"image": "http://127.0.0.1/a.png"}, "image", "url_refused"),
        ({"image": "ab" * 32}, "image", "invalid_field"),
        ({"detect_resolution": 63}, "detect_resolution", "invalid_field"),
        ({"detect_resolution": "512"}, "detect_resolution", "invalid_field"),
        ({"strength": 1}, "strength", "invalid_field"),
    ],
)
async def test_a_wrong_field_is_named(
    fields: dict[str, Any], field: str, code: str, client: httpx.AsyncClient, services: Services
) -> None:
    answer = await ask(client, **fields)
    assert answer.status_code == 422
    problem = problem_in(answer)
    assert (problem["field"], problem["code"]) == (field, code)
    assert await services.ledger.waiting() == {}


async def test_what_needs_weights_tells_the_setting_that_brings_them(client: httpx.AsyncClient) -> None:
    assert "DARKROOM_PREPROCESSORS" in problem_in(await ask(client, type="openpose"))["detail"]
    listed = (await client.get("/api/v1/preprocessors")).json()
    assert [each["type"] for each in listed["preprocessors"]] == ["canny", "mlsd", "scribble", "softedge"]
    assert {each["type"] for each in listed["unavailable"]} == {"depth", "openpose", "segmentation"}
    assert all("DARKROOM_PREPROCESSORS" in each["reason"] for each in listed["unavailable"])


async def test_maps_are_no_generations_and_generations_are_no_maps(
    client: httpx.AsyncClient, services: Services
) -> None:
    job_id = (await ask(client)).json()["id"]
    generation = (await client.post(GENERATIONS, json={"prompt": "a red circle"})).json()
    for path in (f"{GENERATIONS}/{job_id}", f"{GENERATIONS}/{job_id}/events", f"{GENERATIONS}/{job_id}/images/0"):
        assert (await client.get(path)).status_code == 404
    assert (await client.delete(f"{GENERATIONS}/{job_id}")).status_code == 404
    assert (await client.get(f"{PREPROCESS}/{job_id}")).json()["state"] == "queued", "nothing canceled it"
    assert (await client.get(f"{PREPROCESS}/{generation['id']}")).status_code == 404
    listed = (await client.get(GENERATIONS)).json()["generations"]
    assert [each["id"] for each in listed] == [generation["id"]]


@pytest.fixture
def keyed() -> Services:
    return fake_services(allow_anonymous=False, api_keys=API_KEYS)


async def test_maps_of_one_tenant_are_nothing_to_another(keyed: Services) -> None:
    async with client_of(keyed, "alice") as alice, client_of(keyed, "bob") as bob:
        asked = await ask(alice)
        await make_one(keyed)
        made = (await alice.get(asked.headers["Location"])).json()["map"]
        assert (await bob.get(asked.headers["Location"])).status_code == 404
        assert (await bob.get(f"/api/v1/assets/{made['id']}")).status_code == 404
        assert (await ask(bob)).status_code == 202, "bob's own is made for him"


async def test_an_asset_is_shown_as_it_is_kept(client: httpx.AsyncClient) -> None:
    sent = normalise(saved(scene()))
    created = await client.post("/api/v1/assets", content=sent.png, headers={"Content-Type": "image/png"})
    shown = await client.get(f"/api/v1/assets/{created.json()['id']}")
    assert shown.content == sent.png
    for name in ("ab" * 32, "AB" * 32, "nothing", "..%2f..%2fsecrets"):
        assert problem_in(await client.get(f"/api/v1/assets/{name}"))["code"] == "not_found"


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {"safety": {"input": "block"}}, False),
        ({"safety": {"input": "annotate"}}, {"safety": {"input": "block"}}, False),
        ({}, {"tenant_safety": {"local": {"input": "block"}}}, False),
        ({"safety": {"input": "block"}}, {"safety": {"input": "block"}, "safety_threshold": 0.5}, False),
        ({"safety": {"input": "block"}}, {"safety": {"input": "block"}, "safety_thresholds": {"gore": 0.5}}, False),
        ({"safety": {"input": "block"}}, {"tenant_safety": {"local": {"input": "block"}}}, True),
        ({}, {"safety": {"prompt": "block", "output": "block"}, "safety_threshold": 0.5}, True),
    ],
)
async def test_a_map_is_found_only_where_its_picture_has_passed_what_it_must_now(
    before: dict[str, Any], after: dict[str, Any], found: bool
) -> None:
    first = fake_services(**before)
    later = replace(first, settings=fake_services(**after).settings)
    async with client_of(first) as client:
        await ask(client)
        await make_one(first)
        assert (await ask(client)).json()["id"] is None
    async with client_of(later) as client:
        asked = await ask(client)
        assert (asked.status_code, asked.json()["state"]) == ((200, "succeeded") if found else (202, "queued"))
        if not found:  # the job of before is not joined either
            plan = (await make_one(later)).plan
            assert plan.safety.input == "block"
