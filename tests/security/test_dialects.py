"""What holds for every path on which we speak as others do. They are not in our document, from which
`test_tenancy.py` takes its own."""

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, APIRouter

from api.dialects.mount import routers_of
from darkroom.services import Services
from darkroom.settings.dialects import DIALECTS
from tests.fakes import fake_services
from tests.gateway import API_KEYS, KEYS, bearer, client_of
from tests.unit.inputs.files import saved, scene

REPLICATE = "/replicate/v1"
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
NOTHING = {
    "model_id": "tiny",
    "task": "text-to-image",
    "name": "tiny",
    "owner": "a",
    "version": "latest",
    "job_id": UNKNOWN,
    "file_id": "ab" * 32,
}
# Of these a tenant has its own; all others are the service's.
OWN = {"job_id", "file_id"}
OPEN = {"/internal/ping"}  # says as much as /livez
PASSWORD = base64.b64encode(f"anybody:{KEYS['alice']}".encode()).decode()
BROWSER = {"Authorization": f"Basic {PASSWORD}", "Content-Type": "text/plain"}


def _routes(routers: Iterable[APIRouter]) -> Iterator[tuple[str, str]]:
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute):
            yield from ((method, route.path_format) for method in route.methods or ())
        elif isinstance(inner := getattr(route, "original_router", None), APIRouter):
            yield from _routes([inner])


ROUTES = sorted(set(_routes(routers_of(DIALECTS))))
CLOSED = [(method, path) for method, path in ROUTES if method != "OPTIONS" and path not in OPEN]


@pytest.fixture
def services() -> Services:
    return fake_services(allow_anonymous=False, api_keys=API_KEYS)


@pytest.fixture
def strange(services: Services) -> Any:
    return client_of(services)


def test_all_dialects_have_paths() -> None:
    assert {path.split("/")[1] for _, path in ROUTES} == {"v1", "sdapi", "controlnet", "internal", "hf", "replicate"}
    assert len(CLOSED) > 60
    assert {name for _, path in ROUTES for name in re.findall(r"{(\w+)}", path)} <= set(NOTHING)


@pytest.mark.parametrize("key", [None, "Token dk_wrong", "Basic YTpi"])
async def test_no_path_opens_without_a_key_or_has_a_browser_ask_for_one(strange: Any, key: str | None) -> None:
    """A browser that is challenged by Basic asks its user, and adds what it hears to what pages of others send."""
    headers = {"Authorization": key} if key else {}
    async with strange as client:
        for method, path in CLOSED:
            answer = await client.request(method, path.format(**NOTHING), headers=headers, content=b"\xff")
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("page", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_page_of_others_has_nothing_of_a_key_that_a_browser_adds_by_itself(
    strange: Any, page: dict[str, str]
) -> None:
    async with strange as client:
        assert (await client.get("/v1/models", headers=BROWSER)).status_code == 200
        for method, path in ROUTES:
            answer = await client.request(method, path.format(**NOTHING), headers={**BROWSER, **page}, content=b"{}")
            assert answer.status_code == 403, (method, path, answer.text)
            assert "access-control-allow-origin" not in answer.headers


async def _things_of_alice(client: httpx.AsyncClient) -> dict[str, str]:
    asked = {"version": "tiny", "input": {"prompt": "a"}}
    job = await client.post(f"{REPLICATE}/predictions", json=asked, headers=bearer("alice"))
    png = {"Content-Type": "image/png", **bearer("alice")}
    file = await client.post(f"{REPLICATE}/files", content=saved(scene(64, 64)), headers=png)
    return {"job_id": job.json()["id"], "file_id": file.json()["id"]}


async def test_anothers_things_are_unknown_on_every_path(strange: Any) -> None:
    tried = 0
    async with strange as client:
        things = await _things_of_alice(client)
        for method, path in CLOSED:
            for name in OWN & set(re.findall(r"{(\w+)}", path)):
                anothers, nobodys = [
                    await client.request(method, path.format(**{**NOTHING, name: which}), headers=bearer("bob"))
                    for which in (things[name], NOTHING[name])
                ]
                assert anothers.status_code == nobodys.status_code == 404, (method, path, anothers.text)
                assert anothers.text == nobodys.text
                tried += 1
        own = await client.get(f"{REPLICATE}/predictions/{things['job_id']}", headers=bearer("alice"))
    assert (tried, own.json()["status"]) == (4, "starting")
