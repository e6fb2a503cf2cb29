"""OpenAI's paths over a service without sockets."""

import asyncio
import base64
from typing import Any, get_args

import httpx
import pytest
from PIL import Image

from api.dialects.openai.extensions import EXTENSIONS
from darkroom.contract.generation import GenerationRequest
from darkroom.errors import StoreUnavailable
from darkroom.inputs.mask import binary, bounds
from darkroom.inputs.normal import stored
from darkroom.inputs.shelf import fetch
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, PICTURE, client_of, finish_one
from tests.unit.api.dialects.openai import seen_bodies
from tests.unit.api.dialects.openai.asking import EDITS, GENERATIONS, VARIATIONS, clear_in_the_middle, error_in, made
from tests.unit.inputs.files import saved, scene

B64 = base64.b64encode(PICTURE).decode()


async def test_pictures_are_made_from_words(services: Services, client: httpx.AsyncClient) -> None:
    asked = {"prompt": "a (red:1.2) circle", "n": 2, "seed": 7, "style": "natural", "user": "bob"}
    answer, job = await made(services, client.post(GENERATIONS, json=asked))
    told = answer.json()
    assert answer.status_code == 200
    assert told["data"] == [{"b64_json": B64}] * 2
    assert (told["size"], told["output_format"], told["background"]) == ("128x128", "png", "opaque")
    assert told["quality"] == "medium"
    assert told["usage"]["input_tokens"] == told["usage"]["input_tokens_details"]["text_tokens"] == 3
    assert told["darkroom"]["id"] == job.id
    assert told["darkroom"]["seeds"] == [7, 8]
    assert answer.headers["Darkroom-Warning"] == "field=style; reason=has no effect here"
    assert "bob" not in str(job.generation.metadata)
    assert set(job.generation.metadata) == {"user"}


async def test_links_to_pictures_need_no_key() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services, "alice") as alice, client_of(services) as anybody:
        waiting = asyncio.ensure_future(alice.post(GENERATIONS, json={"prompt": "a", "response_format": "url"}))
        async with asyncio.timeout(60):
            while not (await services.ledger.jobs("alice", limit=1, cursor=None)).jobs:
                await asyncio.sleep(0.001)
        await finish_one(services)
        (picture,) = (await waiting).json()["data"]
        assert set(picture) == {"url"}
        assert (await anybody.get(picture["url"])).content == PICTURE


@pytest.mark.parametrize("who", seen_bodies.JSON)
async def test_what_clients_send_makes_pictures(services: Services, client: httpx.AsyncClient, who: str) -> None:
    answer, _ = await made(services, client.post(GENERATIONS, json=seen_bodies.JSON[who]))
    assert answer.status_code == 200, answer.text


async def test_what_is_clear_in_a_mask_is_made_anew(services: Services, client: httpx.AsyncClient) -> None:
    body = seen_bodies.ai_sdk(saved(scene(128, 128)), clear_in_the_middle())
    answer, job = await made(services, client.post(EDITS, content=body, headers=seen_bodies.FORM))
    assert answer.status_code == 200, answer.text
    start: Any = job.generation.start
    assert start.kind == "mask"
    mask = stored(await fetch(services.store, "local", start.mask.sha256))
    found = bounds(binary(mask.pixels))
    assert found is not None
    assert (found.left, found.top, found.width, found.height) == (32, 32, 64, 64)
    assert answer.headers.get_list("Darkroom-Warning") == [
        "field=model; reason=gpt-image-1 is not here, and tiny made the pictures"
    ]


async def test_a_form_holds_numbers_and_objects_as_text(services: Services, client: httpx.AsyncClient) -> None:
    body = seen_bodies.openai_python(saved(scene(128, 128)), clear_in_the_middle())
    answer, job = await made(services, client.post(EDITS, content=body, headers=seen_bodies.FORM))
    assert answer.headers["content-type"].startswith("text/event-stream")
    plan = job.generation
    assert (plan.seeds, plan.guidance_scale, plan.steps, plan.previews) == ((7,), 3.5, 5, True)
    assert "loras[][model]" in answer.headers["Darkroom-Warning"]


async def test_a_picture_without_a_mask_is_made_anew_as_a_whole(services: Services, client: httpx.AsyncClient) -> None:
    picture = saved(scene(128, 256))
    body = seen_bodies.openai_python_list(picture, saved(scene(64, 64)))
    answer, job = await made(services, client.post(EDITS, content=body, headers=seen_bodies.FORM))
    assert (job.generation.task, job.generation.width, job.generation.height) == ("image_to_image", 128, 256)
    assert "only the first picture is edited" in answer.headers["Darkroom-Warning"]


async def test_an_edit_may_be_json(services: Services, client: httpx.AsyncClient) -> None:
    picture, mask = (base64.b64encode(each).decode() for each in (saved(scene(128, 128)), clear_in_the_middle()))
    asked = {
        "prompt": "a",
        "images": [{"image_url": f"data:image/png;base64,{picture}"}],
        "mask": {"image_url": f"data:image/png;base64,{mask}"},
        "masked_content": "fill",
        "strength": 0.5,
    }
    answer, job = await made(services, client.post(EDITS, json=asked))
    assert answer.status_code == 200, answer.text
    start: Any = job.generation.start
    assert (start.masked_content, start.strength) == ("fill", 0.5)


async def test_a_mask_of_ours_is_white_where_it_is_made_anew(services: Services, client: httpx.AsyncClient) -> None:
    white = Image.new("L", (128, 128), 0)
    white.paste(255, (0, 0, 64, 32))
    picture, mask = (base64.b64encode(each).decode() for each in (saved(scene(128, 128)), saved(white)))
    for asked in ({"image": picture, "darkroom": {"mask": mask}}, {"darkroom": {"image": picture, "mask": mask}}):
        answer, job = await made(services, client.post(EDITS, json={"prompt": "a", **asked}))
        assert answer.status_code == 200, answer.text
        start: Any = job.generation.start
        found = bounds(binary(stored(await fetch(services.store, "local", start.mask.sha256)).pixels))
        assert found is not None
        assert (found.left, found.top, found.width, found.height) == (0, 0, 64, 32)
    answer = await client.post(EDITS, json={"prompt": "a", "image": picture, "darkroom": {"mask": "no"}})
    assert (answer.status_code, error_in(answer)["param"]) == (400, "darkroom.mask")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_store_that_is_away_for_a_moment_has_nothing_made_again(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    monkeypatch.setattr("api.dialects.pictures.AWAY_SECONDS", 0.001)
    get, outages = services.store.get, iter(range(2))

    async def shaky(key: str) -> bytes:
        if next(outages, None) is not None:
            raise StoreUnavailable("the store does not answer")
        return await get(key)

    monkeypatch.setattr(services.store, "get", shaky)
    answer, _ = await made(services, client.post(GENERATIONS, json={"prompt": "a", "stream": stream}))
    assert (answer.status_code, B64 in answer.text) == (200, True)


@pytest.mark.parametrize(
    ("key", "status", "code", "again"),
    [({}, 422, "pictures_unread", "false"), ({"Idempotency-Key": "k"}, 503, "store_unavailable", None)],
)
async def test_pictures_that_cannot_be_read_are_not_made_again(
    services: Services,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    key: dict[str, str],
    status: int,
    code: str,
    again: str | None,
) -> None:
    async def away(_: str) -> bytes:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr("api.dialects.pictures.PATIENCE_SECONDS", -1.0)
    monkeypatch.setattr(services.store, "get", away)
    answer, _ = await made(services, client.post(GENERATIONS, json={"prompt": "a"}, headers=key))
    assert (answer.status_code, error_in(answer)["code"]) == (status, code)
    assert answer.headers.get("x-should-retry") == again


async def test_a_variation_keeps_a_quarter_of_its_picture(services: Services, client: httpx.AsyncClient) -> None:
    body = seen_bodies.openai_python_variation(saved(scene(128, 128)))
    answer, job = await made(services, client.post(VARIATIONS, content=body, headers=seen_bodies.FORM))
    assert set(answer.json()["data"][0]) == {"url"}
    start: Any = job.generation.start
    assert (job.generation.prompt, start.strength) == ("", 0.75)


async def test_one_key_is_one_generation(services: Services, client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k"}
    first, job = await made(services, client.post(GENERATIONS, json={"prompt": "a"}, headers=key))
    again = await client.post(GENERATIONS, json={"prompt": "a"}, headers=key)
    assert first.json()["darkroom"]["id"] == again.json()["darkroom"]["id"] == job.id
    other = await client.post(GENERATIONS, json={"prompt": "b"}, headers=key)
    assert (other.status_code, error_in(other)["code"]) == (409, "idempotency_mismatch")
    assert other.headers["x-should-retry"] == "false"
    bad = await client.post(GENERATIONS, json={"prompt": "a"}, headers={"Idempotency-Key": "a b"})
    assert bad.status_code == 400


async def test_models_are_listed_with_the_names_that_stand_for_them(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/v1/models")).json()
    assert listed["object"] == "list"
    assert {model["id"]: model["root"] for model in listed["data"]} == {"tiny": "tiny", "turbo": "tiny"}
    for name in ("tiny", "turbo", "dall-e-3"):
        model = (await client.get(f"/v1/models/{name}")).json()
        assert (model["id"], model["object"], model["root"]) == (name, "model", "tiny")
    for name in ("sdxl", "owner/sdxl", "owner%2Fsdxl"):
        unknown = await client.get(f"/v1/models/{name}")
        assert (unknown.status_code, error_in(unknown)["code"]) == (404, "model_not_found")


async def test_clients_look_whether_somebody_is_there() -> None:
    async with client_of(fake_services(allow_anonymous=False, api_keys=API_KEYS)) as client:
        for path in (GENERATIONS, EDITS, VARIATIONS):
            answer = await client.options(path)
            assert (answer.status_code, answer.content) == (204, b"")
        assert (await client.options("/v1/images/other")).status_code == 404


async def test_a_page_may_use_the_sdk_where_it_is_allowed() -> None:
    page = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    headers = "authorization, content-type, x-stainless-os, x-stainless-retry-count"
    async with client_of(fake_services(cors_origins=("https://app.example",))) as client:
        answer = await client.options(GENERATIONS, headers={**page, "Access-Control-Request-Headers": headers})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"


def test_all_that_is_offered_is_in_the_contract() -> None:
    kinds = [get_args(each)[0] for each in get_args(get_args(GenerationRequest)[0])]
    assert set(EXTENSIONS.values()) <= {name for kind in kinds for name in kind.model_fields}
