"""No tenant sees another's things, and nobody without a key sees any."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from darkroom.ledger.deliveries import Wanted
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, KEYS, ask, bearer, client_of, finish_one, problem_in
from tests.unit.inputs.files import saved, scene

OPEN = {"/livez", "/readyz", "/c2pa/v1/services/supportedAlgorithms"}
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
# Ids of nothing, by the names that paths have for them.
NOTHING = {
    "job_id": UNKNOWN,
    "index": "0",
    "asset_id": "ab" * 32,
    "manifest_id": "unknown",
    "delivery_id": f"msg_{UNKNOWN}_1",
}


async def asked_by(client: httpx.AsyncClient, tenant: str) -> str:
    client.headers.update(bearer(tenant))
    job: Any = await ask(client)
    del client.headers["Authorization"]
    job_id: str = job["id"]
    return job_id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/events"),
        ("GET", "/images/0"),
        ("GET", "/images/1"),
        ("GET", "/previews/0"),
    ],
)
@pytest.mark.parametrize("finished", [False, True])
async def test_anothers_generation_is_an_unknown_one(
    services: Services, client: httpx.AsyncClient, method: str, path: str, finished: bool
) -> None:
    job_id = await asked_by(client, "alice")
    if finished:
        await finish_one(services)
    anothers, unknown = [
        await client.request(method, f"{GENERATIONS}/{which}{path}", headers=bearer("bob"))
        for which in (job_id, UNKNOWN)
    ]
    assert (anothers.status_code, problem_in(anothers)) == (404, problem_in(unknown))
    own = await client.get(f"{GENERATIONS}/{job_id}", headers=bearer("alice"))
    assert own.json()["state"] == ("succeeded" if finished else "queued")


# Whoever has a manifest's id has a picture that bears it: C2PA's resolution API is there to answer anybody with a key.
FOR_ALL = {"/c2pa/v1/manifests/{manifest_id}"}
# A signed link is its own right: tests/unit/api/test_links.py.
BY_LINK = {"/api/v1/pictures/{name}"}


def with_ids() -> list[tuple[str, str]]:
    """Every documented route and method that takes an id of something."""
    paths = create_app(fake_services()).openapi()["paths"]
    return sorted((method.upper(), path) for path in paths if "{" in path for method in paths[path])


async def things_of(client: httpx.AsyncClient, services: Services, tenant: str) -> dict[str, list[str]]:
    """Ids of all that a tenant can have, by the name that paths have for them; a new one must be added here."""
    client.headers.update(bearer(tenant))
    picture = base64.b64encode(saved(scene(128, 128))).decode()
    job = await ask(client, image=picture, seed=1, webhook_url="https://hooks.example/")
    await finish_one(services)
    (delivery,) = (await services.ledger.deliveries.list(tenant, Wanted(), limit=5)).deliveries
    waiting = await ask(client, seed=2)
    mapped = await client.post("/api/v1/preprocess", json={"type": "canny", "image": picture})
    asset = await client.post("/api/v1/assets", content=saved(scene(64, 64)), headers={"Content-Type": "image/png"})
    del client.headers["Authorization"]
    jobs = [job["id"], waiting["id"], mapped.json()["id"]]
    return {"job_id": jobs, "asset_id": [asset.json()["id"]], "index": ["0"], "delivery_id": [delivery.id]}


async def test_anothers_things_are_unknown_on_every_route(services: Services, client: httpx.AsyncClient) -> None:
    things = await things_of(client, services, "alice")
    tried = 0
    for method, path in with_ids():
        if path in FOR_ALL | BY_LINK:
            continue
        names = set(re.findall(r"{(\w+)}", path))
        assert names <= set(things), f"{path}: what is it that this id is of?"
        (name,) = names - {"index"}
        for thing in things[name]:
            anothers, nobodys = [
                await client.request(method, path.format(**{**NOTHING, name: which}), headers=bearer("bob"))
                for which in (thing, NOTHING[name])
            ]
            assert anothers.status_code == nobodys.status_code == 404, (method, path, anothers.text)
            assert problem_in(anothers) == problem_in(nobodys)
            tried += 1
    assert tried >= 15
    for thing in things["job_id"][:2]:
        assert (await client.get(f"{GENERATIONS}/{thing}", headers=bearer("alice"))).json()["state"] != "canceled"


async def test_a_list_shows_ones_own_only(client: httpx.AsyncClient) -> None:
    ids = {tenant: await asked_by(client, tenant) for tenant in KEYS}
    for tenant, job_id in ids.items():
        page = (await client.get(GENERATIONS, headers=bearer(tenant))).json()
        assert [job["id"] for job in page["generations"]] == [job_id]


async def test_anothers_cursor_opens_nothing(client: httpx.AsyncClient) -> None:
    await asked_by(client, "alice")
    cursor = await asked_by(client, "alice")
    page = await client.get(GENERATIONS, params={"cursor": cursor}, headers=bearer("bob"))
    assert page.json()["generations"] == []


async def test_an_idempotency_key_belongs_to_its_tenant(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "the-same"}
    first, second = [
        await client.post(GENERATIONS, json={"prompt": prompt}, headers={**key, **bearer(tenant)})
        for tenant, prompt in (("alice", "a"), ("bob", "b"))
    ]
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] != second.json()["id"]


def documented() -> Iterator[tuple[str, str]]:
    document = create_app(fake_services(allow_anonymous=False, api_keys=API_KEYS)).openapi()
    for path, methods in document["paths"].items():
        if path not in OPEN | BY_LINK:
            for method in methods:
                yield method.upper(), path.format(**NOTHING)


@pytest.mark.parametrize(("method", "path"), sorted(documented()))
async def test_no_route_opens_without_a_key(client: httpx.AsyncClient, method: str, path: str) -> None:
    """Not even its body is looked at: a malformed one gets the same answer."""
    for headers in ({}, {"Authorization": "Bearer dk_wrong"}, {"Authorization": next(iter(API_KEYS))}):
        answer = await client.request(method, path, headers=headers, content=b"\xff")
        assert (answer.status_code, problem_in(answer)["code"]) == (401, "unauthenticated")


async def test_where_a_request_says_it_comes_from_changes_nothing() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS, max_queued_per_tenant=2)
    async with client_of(services, "alice") as client:
        statuses = [
            (
                await client.post(GENERATIONS, json={"prompt": "a"}, headers={"X-Forwarded-For": f"10.0.0.{i}"})
            ).status_code
            for i in range(5)
        ]
    assert statuses == [202, 202, 429, 429, 429]


async def test_a_key_is_nowhere_but_with_its_owner(services: Services, client: httpx.AsyncClient) -> None:
    await asked_by(client, "alice")
    await finish_one(services)
    texts = [
        json.dumps(services.settings.model_dump(mode="json")),
        repr(vars(services.ledger)),
        (await client.get("/metrics", headers=bearer("alice"))).text,
        (await client.get("/openapi.json")).text,
        (await client.get(GENERATIONS, headers=bearer("alice"))).text,
    ]
    assert all(key not in text for key in KEYS.values() for text in texts)
