"""Pictures over HTTP: sent with a request, or ahead of it."""

import asyncio
import base64
from typing import Any

import httpx
import numpy as np
import pytest

from darkroom.contract.start import FromInside
from darkroom.errors import StoreUnavailable
from darkroom.inputs.shelf import input_key
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, ask, claim_one, client_of, finish_one, problem_in
from tests.unit.inputs.files import saved, scene

ASSETS = "/api/v1/assets"
PICTURE = saved(scene(128, 128))
IMAGE = base64.b64encode(PICTURE).decode()


def mask(width: int = 128, height: int = 128, grey: int = 255) -> str:
    mask_HW = np.zeros((height, width), np.uint8)
    mask_HW[32:64, 32:64] = grey
    return base64.b64encode(saved(mask_HW)).decode()


async def upload(client: httpx.AsyncClient, data: bytes = PICTURE) -> Any:
    answer = await client.post(ASSETS, content=data, headers={"Content-Type": "image/png"})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_upload_is_named_by_what_it_shows(client: httpx.AsyncClient) -> None:
    asset = await upload(client)
    assert (asset["width"], asset["height"]) == (128, 128)
    assert asset["id"] == asset["sha256"]
    form = await client.post(ASSETS, files={"file": ("a.png", PICTURE)})
    assert form.json() == asset


async def test_an_asset_can_be_named_in_a_generation_again_and_again(client: httpx.AsyncClient) -> None:
    asset = await upload(client)
    for _ in range(2):
        plan = (await ask(client, image=asset["id"]))["plan"]
        assert plan["task"] == "image_to_image"
        assert plan["start"]["image"] == {name: asset[name] for name in ("sha256", "width", "height")}


async def test_what_the_worker_will_need_is_stored_before_the_job_is_accepted(
    services: Services, client: httpx.AsyncClient
) -> None:
    told = await ask(client, image=IMAGE, mask=mask())
    claim = await claim_one(services)
    assert claim.job_id == told["id"]
    for name in ("image", "mask"):
        assert await services.store.get(input_key(claim.tenant, told["plan"]["start"][name]["sha256"]))


async def test_a_slow_store_does_not_keep_others_from_the_desk(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, called, slow = services.store.put, asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: Any, **named: Any) -> Any:
        called.set()
        await slow.wait()
        return await put(*arguments, **named)

    asset = await upload(client)
    monkeypatch.setattr(services.store, "put", slowly)
    waiting = asyncio.create_task(ask(client, image=IMAGE, mask=mask()))
    await called.wait()
    async with asyncio.timeout(5):
        assert (await ask(client, image=asset["id"]))["state"] == "queued"
    assert not waiting.done()
    slow.set()
    assert (await waiting)["state"] == "queued"


async def test_the_receipt_names_the_task_and_the_pictures(services: Services, client: httpx.AsyncClient) -> None:
    asset, told = await upload(client), await ask(client, image=IMAGE, expand={"right": 64})
    receipt = (await finish_one(services)).receipt
    assert receipt is not None
    assert receipt.plan.task == "outpaint"
    assert isinstance(receipt.plan.start, FromInside)
    assert receipt.plan.start.image.sha256 == asset["sha256"]
    assert (await client.get(f"{GENERATIONS}/{told['id']}")).json()["plan"] == told["plan"]


async def test_the_steps_that_are_computed_are_told(client: httpx.AsyncClient) -> None:
    plan = (await ask(client, image=IMAGE, steps=10, strength=0.55))["plan"]
    assert (plan["steps"], plan["start"]["steps"]) == (10, 5)


async def test_storage_keys_and_tenants_stay_inside(client: httpx.AsyncClient) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a", "image": IMAGE})
    assert "inputs/" not in answer.text


async def test_one_tenants_asset_is_nothing_to_another() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services, "alice") as alice, client_of(services, "bob") as bob:
        asset = await upload(alice)
        stolen = await bob.post(GENERATIONS, json={"prompt": "a", "image": asset["id"]})
        never = await bob.post(GENERATIONS, json={"prompt": "a", "image": "ab" * 32})
    assert stolen.status_code == never.status_code == 422
    assert stolen.json() == never.json()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"image": "AAAA"}, "image"),
        ({"image": "*"}, "image"),
        ({"image": "https://example.com/a.png"}, "image"),
        ({"image": ""}, "image"),
        ({"image": base64.b64encode(saved(scene(1024, 1024))).decode()}, "image"),
        ({"task": "image_to_image"}, "image"),
        ({"mask": mask()}, "image"),
        ({"expand": {"left": 8}}, "image"),
        ({"image": IMAGE, "mask": mask(64, 64)}, "mask"),
        ({"image": IMAGE, "mask": mask(grey=0)}, "mask"),
        ({"image": IMAGE, "mask": "AAAA"}, "mask"),
        ({"image": IMAGE, "expand": {}}, "expand"),
        ({"image": IMAGE, "expand": {"left": 0, "top": 0}}, "expand"),
        ({"image": IMAGE, "expand": {"left": 4000}}, "expand"),
        ({"image": IMAGE, "expand": {"left": -8}}, "expand.left"),
        ({"image": IMAGE, "expand": {"left": 8}, "mask": mask()}, "mask"),
        ({"image": IMAGE, "strength": 0.05, "steps": 10}, "strength"),
        ({"image": IMAGE, "strength": 0}, "strength"),
        ({"image": IMAGE, "masked_content": "fill"}, "masked_content"),
        ({"image": IMAGE, "mask": mask(), "masked_content": "magic"}, "masked_content"),
        ({"strength": 0.5}, "strength"),
        ({"task": "upscale"}, "task"),
    ],
)
async def test_what_is_wrong_names_its_field_and_leaves_nothing_behind(
    services: Services, client: httpx.AsyncClient, fields: dict[str, Any], field: str
) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a", **fields})
    assert answer.status_code == 422, answer.text
    assert problem_in(answer)["field"] == field
    assert not await services.ledger.waiting()


async def test_an_upload_that_is_no_picture_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(ASSETS, content=b"GIF89a", headers={"Content-Type": "image/gif"})
    assert (answer.status_code, problem_in(answer)["code"]) == (422, "bad_picture")


async def test_with_the_store_away_nothing_is_accepted(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> bool:
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(services.store, "put", away)
    answer = await client.post(GENERATIONS, json={"prompt": "a", "image": IMAGE})
    assert (answer.status_code, problem_in(answer)["code"]) == (503, "store_unavailable")
    assert not await services.ledger.waiting()


async def test_the_same_key_and_picture_are_answered_with_the_first_generation(client: httpx.AsyncClient) -> None:
    keyed = {"Idempotency-Key": "once"}
    first, again = [
        await client.post(GENERATIONS, json={"prompt": "a", "image": IMAGE}, headers=keyed) for _ in range(2)
    ]
    other = await client.post(GENERATIONS, json={"prompt": "a", "image": IMAGE, "mask": mask()}, headers=keyed)
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 409
