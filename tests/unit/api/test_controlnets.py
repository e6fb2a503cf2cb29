"""ControlNets over HTTP."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from darkroom.catalog import embedded_model_folder
from darkroom.catalog.controlnets import Place
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.registry import embedded_controlnets, read_catalog
from darkroom.inputs.shelf import input_key
from darkroom.services import Services
from tests.gateway import GENERATIONS, ask, client_of, problem_in
from tests.unit.inputs.files import saved, scene
from tests.unit.inputs.test_reading import base64_of

PICTURE = base64_of(saved(scene(128, 128)))


@pytest.fixture
def steered(services: Services, tmp_path: Path) -> Services:
    """Services that know the embedded ControlNet and one that is not there."""
    catalog = read_catalog(
        {"tiny": embedded_model_folder()},
        default="tiny",
        digests=DigestCache(),
        controlnets={**embedded_controlnets(), "gone": Place("depth", tmp_path / "gone")},
    )
    return replace(services, catalog=catalog)


@pytest.fixture
async def client(steered: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(steered) as client:
        yield client


async def test_controlnets_tell_their_type_and_what_they_fit(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.get("/api/v1/controlnets")
    (canny,) = answer.json()["controlnets"]
    assert (canny["name"], canny["type"], canny["models"]) == ("tiny-canny", "canny", ["tiny"])
    (gone,) = answer.json()["unavailable"]
    assert (gone["name"], gone["code"]) == ("gone", "missing_weights")
    assert str(tmp_path) not in answer.text
    assert (await client.get("/api/v1/capabilities")).json()["controlnets"] == ["tiny-canny"]


async def test_the_plan_holds_the_network_and_the_store_the_picture(
    client: httpx.AsyncClient, steered: Services
) -> None:
    job = await ask(client, controlnets=[{"type": "canny", "image": PICTURE, "scale": 0.8, "end": 0.6}])
    (control,) = job["plan"]["controls"]
    assert control["net"]["sha256"] == steered.catalog.controlnets.spec("tiny-canny", "").sha256
    assert (control["scale"], control["start"], control["end"]) == (0.8, 0.0, 0.6)
    assert await steered.store.get(input_key("local", control["image"]["sha256"]))


@pytest.mark.parametrize(
    ("control", "code", "field"),
    [
        ({"type": "canny"}, "invalid_field", "controlnets.0.image"),
        ({"type": "canny", "image": "aGk="}, "invalid_field", "controlnets.0.image"),
        ({"type": "canny", "image": "ab" * 32}, "invalid_field", "controlnets.0.image"),
        ({"type": "canny", "image": PICTURE, "scale": 3}, "invalid_field", "controlnets.0.scale"),
        ({"type": "canny", "image": PICTURE, "model": "nope"}, "unknown_controlnet", "controlnets.0.model"),
        ({"type": "mlsd", "image": PICTURE}, "controlnet_misfit", "controlnets.0.type"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_named(
    client: httpx.AsyncClient, control: dict[str, object], code: str, field: str
) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a", "controlnets": [control]})
    assert answer.status_code == 422
    problem = problem_in(answer)
    assert (problem["code"], problem["field"]) == (code, field)


async def test_the_same_key_with_another_control_picture_is_another_body(client: httpx.AsyncClient) -> None:
    other = base64_of(saved(scene(128, 128)[::-1].copy()))
    bodies = [
        {"prompt": "a", "seed": 1, "controlnets": [{"type": "canny", "image": image}]} for image in (PICTURE, other)
    ]
    answers = [
        await client.post(GENERATIONS, json=body, headers={"Idempotency-Key": "one"})
        for body in (bodies[0], bodies[0], bodies[1])
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 409]


async def test_without_controlnets_the_document_offers_none(services: Services) -> None:
    bare = read_catalog({"tiny": embedded_model_folder()}, default="tiny", digests=DigestCache())
    async with client_of(replace(services, catalog=bare)) as client:
        document = json.loads((await client.get("/openapi.json")).text)
    assert document["components"]["schemas"]["TextToImage"]["properties"]["controlnets"]["maxItems"] == 0
