"""A1111's paths besides those that make pictures: each caller for itself."""

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from api.dialects.a1111 import surface
from api.dialects.a1111.routes_state import NONE_HERE, NOT_DONE_HERE, NOTHING_TO_DO
from darkroom.contract.job import JobState, Progress
from darkroom.errors import LedgerUnavailable
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import JobPage, JsonObject
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, KEYS, ask, claim_one, client_of

TITLE = "tiny.safetensors [7a336531b1]"
FRAME = b"\xff\xd8\xff a JPEG"


@pytest.fixture
def services() -> Services:
    return fake_services(api_keys=API_KEYS, allow_anonymous=False)


@pytest.fixture
async def clients(services: Services) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        yield {tenant: await stack.enter_async_context(client_of(services, tenant)) for tenant in KEYS}


@pytest.fixture
def alice(clients: dict[str, httpx.AsyncClient]) -> httpx.AsyncClient:
    return clients["alice"]


@pytest.fixture
def bob(clients: dict[str, httpx.AsyncClient]) -> httpx.AsyncClient:
    return clients["bob"]


async def progress(client: httpx.AsyncClient, query: str = "") -> dict[str, object]:
    answer = await client.get(f"/sdapi/v1/progress{query}")
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


async def test_options_are_the_callers_own(alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    answer = await alice.post("/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 2})
    assert (answer.status_code, answer.json()) == (200, None)
    assert (await alice.get("/sdapi/v1/options")).json()["CLIP_stop_at_last_layers"] == 2
    assert (await bob.get("/sdapi/v1/options")).json()["CLIP_stop_at_last_layers"] == 1


async def test_a_wrong_checkpoint_is_an_error_and_changes_nothing(alice: httpx.AsyncClient) -> None:
    body = {"CLIP_stop_at_last_layers": 2, "sd_model_checkpoint": "nope"}
    answer = await alice.post("/sdapi/v1/options", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"sd_model_checkpoint: no such checkpoint; known: {TITLE}"
    assert (await alice.get("/sdapi/v1/options")).json()["CLIP_stop_at_last_layers"] == 1


async def test_an_option_without_effect_is_told_in_a_header(alice: httpx.AsyncClient) -> None:
    answer = await alice.post("/sdapi/v1/options", json={"samples_save": True, "sd_model_checkpoint": "tiny"})
    assert answer.status_code == 200
    assert answer.headers.get_list("darkroom-warning") == [
        "field=samples_save; reason=has no effect here, and is not kept"
    ]


async def test_a_strict_service_refuses_an_option_without_effect() -> None:
    async with client_of(fake_services(compat_strict=True)) as client:
        assert (await client.post("/sdapi/v1/options", json={"samples_save": True})).status_code == 422


@pytest.mark.parametrize("header", ["", "Basic ", "Basic", "Bearer "])
async def test_an_empty_header_is_no_key(header: str) -> None:
    async with client_of(fake_services()) as client:
        answer = await client.get("/sdapi/v1/options", headers={"Authorization": header})
        assert answer.json()["sd_model_checkpoint"] == TITLE
    async with client_of(fake_services(api_keys=API_KEYS, allow_anonymous=False)) as client:
        assert (await client.get("/sdapi/v1/options", headers={"Authorization": header})).status_code == 401


async def test_the_password_of_basic_is_the_key(services: Services) -> None:
    async with client_of(services) as client:
        said = base64.b64encode(f"anybody:{KEYS['bob']}".encode()).decode()
        assert (await client.get("/sdapi/v1/progress", headers={"Authorization": f"Basic {said}"})).status_code == 200


async def test_every_path_asks_for_the_key(services: Services) -> None:
    described = FastAPI()
    described.include_router(surface.router)
    paths = [(method, path) for path, methods in described.openapi()["paths"].items() for method in methods]
    paths.remove(("get", "/internal/ping"))
    assert len(paths) > 30
    async with client_of(services) as client:
        for method, path in paths:
            assert (await client.request(method, path, json={})).status_code == 401, path


async def test_progress_is_of_the_callers_own_job(
    services: Services, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    asked = await ask(alice, previews=True)
    waiting = await progress(alice)
    assert waiting["textinfo"] == "waiting behind 0 of yours; no worker serves this model now"
    claim = await claim_one(services)
    await services.ledger.report((claim.job_id, claim.attempt, Progress(step=5, steps=20)))
    await services.ledger.show_preview(claim.job_id, claim.attempt, 0, FRAME)
    told = await progress(alice)
    assert told["progress"] == 0.25
    assert told["state"]["job"] == f"task({asked['id']})"  # type: ignore[index]
    assert told["current_image"] == base64.b64encode(FRAME).decode()
    assert (await progress(alice, "?skip_current_image=true"))["current_image"] is None
    assert (await progress(bob))["progress"] == 0


async def test_progress_without_a_preview_has_no_picture(services: Services, alice: httpx.AsyncClient) -> None:
    await ask(alice, previews=True)
    await claim_one(services)
    assert (await progress(alice))["current_image"] is None


@pytest.mark.parametrize("path", ["interrupt", "skip"])
async def test_interrupt_cancels_what_the_caller_has_running_alone(
    services: Services, alice: httpx.AsyncClient, bob: httpx.AsyncClient, path: str
) -> None:
    running = await ask(alice)
    await claim_one(services)
    of_bob = await ask(bob)
    await claim_one(services)
    waiting = await ask(alice)
    answer = await alice.post(f"/sdapi/v1/{path}")
    assert (answer.status_code, answer.json()) == (200, {})
    states = {
        job["id"]: (await services.ledger.get(who, job["id"])).state
        for who, job in (("alice", running), ("alice", waiting), ("bob", of_bob))
    }
    assert states == {running["id"]: JobState.CANCELED, waiting["id"]: JobState.QUEUED, of_bob["id"]: JobState.RUNNING}


async def test_interrupt_leaves_alone_what_waits(services: Services, alice: httpx.AsyncClient) -> None:
    waiting = await ask(alice)
    await alice.post("/sdapi/v1/interrupt")
    assert (await services.ledger.get("alice", waiting["id"])).state is JobState.QUEUED


async def test_after_an_interrupt_the_caller_is_idle(services: Services, alice: httpx.AsyncClient) -> None:
    await ask(alice)
    await claim_one(services)
    await alice.post("/sdapi/v1/interrupt")
    told = await progress(alice)
    assert (told["progress"], told["state"]["interrupted"]) == (0, True)  # type: ignore[index]


async def test_interrupt_of_nothing_is_no_error(alice: httpx.AsyncClient) -> None:
    assert (await alice.post("/sdapi/v1/interrupt")).json() == {}


async def test_what_is_not_here_is_an_empty_list_a_no_op_or_a_clear_error(alice: httpx.AsyncClient) -> None:
    for name in NONE_HERE:
        assert (await alice.get(f"/sdapi/v1/{name}")).json() == []
    for name in NOTHING_TO_DO:
        assert (await alice.post(f"/sdapi/v1/{name}")).json() == {}
    for name, why in NOT_DONE_HERE.items():
        answer = await alice.post(f"/sdapi/v1/{name}", json={"image": ""})
        assert (answer.status_code, answer.json()["detail"]) == (404, why)


async def test_anybody_may_ask_whether_somebody_is_there(services: Services) -> None:
    async with client_of(services) as client:
        assert (await client.get("/internal/ping")).json() == {}
        assert (await client.get("/internal/pong")).json()["detail"] == "no such path"


async def test_nobody_stops_or_restarts_the_service(alice: httpx.AsyncClient) -> None:
    for name in ("server-kill", "server-restart", "server-stop"):
        assert (await alice.post(f"/sdapi/v1/{name}")).status_code == 404


async def test_lists_are_lists(alice: httpx.AsyncClient) -> None:
    names = (
        "sd-models",
        "samplers",
        "schedulers",
        "loras",
        "sd-vae",
        "upscalers",
        "latent-upscale-modes",
        "script-info",
    )
    for name in names:
        told = (await alice.get(f"/sdapi/v1/{name}")).json()
        assert isinstance(told, list), name
    for name in ("embeddings", "scripts", "cmd-flags", "memory"):
        told = (await alice.get(f"/sdapi/v1/{name}")).json()
        assert isinstance(told, dict), name


class Away(MemoryLedger):
    """Redis does not answer."""

    async def prefer(self, tenant: str, kind: str, changes: JsonObject) -> JsonObject:
        raise LedgerUnavailable("the job ledger is away; try again shortly")

    async def jobs(self, tenant: str, *, limit: int, cursor: str | None = None, dead: bool = False) -> JobPage:
        raise LedgerUnavailable("the job ledger is away; try again shortly")


async def test_while_the_ledger_is_away_nothing_is_made_up() -> None:
    async with client_of(replace(fake_services(), ledger=Away())) as client:
        asked = [
            ("GET", "options"),
            ("POST", "options"),
            ("GET", "progress"),
            ("POST", "interrupt"),
            ("GET", "embeddings"),
        ]
        for method, path in asked:
            answer = await client.request(method, f"/sdapi/v1/{path}", json={"CLIP_stop_at_last_layers": 2})
            assert (answer.status_code, answer.json()["error"]) == (503, "ledger_unavailable"), path
            assert int(answer.headers["Retry-After"]) >= 1
        assert (await client.get("/sdapi/v1/sd-models")).json()[0]["title"] == TITLE


async def test_where_the_dialect_is_not_spoken_there_are_no_such_paths() -> None:
    async with client_of(fake_services(compat=())) as client:
        assert (await client.get("/sdapi/v1/options")).status_code == 404
