"""Models, files, the account and the secret."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from darkroom.contract.prediction import version_of
from tests.fakes import fake_catalog, fake_services
from tests.gateway import API_KEYS, BASE, bearer, client_of
from tests.receiver import SECRET

HERE = "/replicate/v1"
VERSION = version_of(fake_catalog().specs()[0].weights)


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (128, 128), "red").save(file, "PNG")
    return file.getvalue()


async def test_models_and_their_one_version_are_listed() -> None:
    async with client_of(fake_services()) as client:
        (model,) = (await client.get(f"{HERE}/models")).json()["results"]
        assert (model["owner"], model["name"], model["latest_version"]["id"]) == ("darkroom", "tiny", VERSION)
        assert (await client.get(f"{HERE}/models/stability-ai/Tiny")).json() == model
        (version,) = (await client.get(f"{HERE}/models/a/tiny/versions")).json()["results"]
        assert (await client.get(f"{HERE}/models/a/tiny/versions/{VERSION}")).json() == version


async def test_the_schema_says_what_a_model_takes() -> None:
    async with client_of(fake_services()) as client:
        version = (await client.get(f"{HERE}/models/a/tiny/versions/latest")).json()
        schemas = version["openapi_schema"]["components"]["schemas"]
        properties = schemas["Input"]["properties"]
        width, steps = properties["width"], properties["num_inference_steps"]
        assert (width["default"], width["minimum"], width["maximum"], width["multipleOf"]) == (128, 128, 512, 8)
        assert schemas["Input"]["required"] == ["prompt"]
        assert "x-cog-array-type" not in schemas["Output"]
        fields = {name: field["default"] for name, field in properties.items() if "default" in field}
        answer = await client.post(f"{HERE}/models/a/tiny/predictions", json={"input": {"prompt": "a", **fields}})
        assert answer.status_code == 201, answer.text
        assert answer.json()["input"]["num_inference_steps"] == steps["default"]


async def test_versions_that_scripts_are_pinned_to_may_be_given_a_model() -> None:
    pinned = "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
    async with client_of(fake_services(model_aliases={pinned: "tiny", "sdxl": "tiny"})) as client:
        for version in (pinned, f"stability-ai/sdxl:{pinned}"):
            asked = {"version": version, "input": {"prompt": "a"}}
            assert (await client.post(f"{HERE}/predictions", json=asked)).status_code == 201
        assert (await client.get(f"{HERE}/models/stability-ai/sdxl/versions/{pinned}")).json()["id"] == VERSION


@pytest.mark.parametrize(
    "path", ["models/a/else", "models/a/else/versions", f"models/a/tiny/versions/{'ab' * 32}", "collections", "files/x"]
)
async def test_what_is_not_there_is_a_404(path: str) -> None:
    async with client_of(fake_services()) as client:
        answer = await client.get(f"{HERE}/{path}")
    assert answer.status_code == 404
    assert answer.json()["status"] == 404


@pytest.mark.parametrize("metadata", [("blob", b'{"a":1}', "application/json"), (None, b'{"a":1}'), None])
async def test_a_file_is_kept_and_named_by_its_url(metadata: Any) -> None:
    """The client for JavaScript sends metadata as a file, that for Python as a field."""
    services = fake_services()
    async with client_of(services) as client:
        parts = {"content": ("a.png", png(), "application/octet-stream")} | ({"metadata": metadata} if metadata else {})
        answer = await client.post(f"{HERE}/files", files=parts)
        assert answer.status_code == 201, answer.text
        kept = answer.json()
        assert kept["urls"]["get"] == f"{BASE}{HERE}/files/{kept['id']}"
        shown = (await client.get(kept["urls"]["get"])).json()
        assert (shown["id"], shown["size"], shown["content_type"]) == (kept["id"], kept["size"], "image/png")
        asked = {"input": {"prompt": "a", "image": kept["urls"]["get"]}}
        made = await client.post(f"{HERE}/models/a/tiny/predictions", json=asked)
        assert made.status_code == 201, made.text
        assert made.json()["input"]["image"] == kept["urls"]["get"]


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"file": ("a.png", png())}, 422),
        ({"content": ("a.png", b"no picture")}, 422),
        ({"content": ("a.png", b"")}, 400),
        ({"content": ("a.png", png()), "a": ("b", b"c"), "d": ("e", b"f")}, 400),
    ],
)
async def test_what_is_no_picture_is_no_file(parts: Any, status: int) -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post(f"{HERE}/files", files=parts)
    assert answer.status_code == status, answer.text


async def test_a_file_of_another_is_not_there() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services) as client:
        parts = {"content": ("a.png", png())}
        kept = (await client.post(f"{HERE}/files", files=parts, headers=bearer("alice"))).json()
        assert (await client.get(kept["urls"]["get"], headers=bearer("bob"))).status_code == 404
        asked = {"input": {"prompt": "a", "image": kept["urls"]["get"]}}
        answer = await client.post(f"{HERE}/models/a/tiny/predictions", json=asked, headers=bearer("bob"))
    assert answer.status_code == 422
    assert "you have no asset with this id" in answer.json()["detail"]


async def test_each_tenant_is_told_its_own_secret_and_nobody_else() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS, webhook_secrets={"alice": [SECRET]})
    async with client_of(services) as client:
        answer = await client.get(f"{HERE}/webhooks/default/secret", headers=bearer("alice"))
        assert answer.json() == {"key": SECRET}
        assert answer.headers["cache-control"] == "no-store"
        none = await client.get(f"{HERE}/webhooks/default/secret", headers=bearer("bob"))
        assert none.status_code == 404
        assert SECRET not in none.text
        assert (await client.get(f"{HERE}/webhooks/default/secret")).status_code == 401


async def test_an_account_is_a_tenant() -> None:
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS)
    async with client_of(services) as client:
        headers = {"Authorization": bearer("alice")["Authorization"].replace("Bearer", "Token")}
        assert (await client.get(f"{HERE}/account", headers=headers)).json()["username"] == "alice"


async def test_a_webhook_without_a_secret_is_refused() -> None:
    async with client_of(fake_services()) as client:
        asked = {"input": {"prompt": "a"}, "webhook": "https://else.example/"}
        answer = await client.post(f"{HERE}/models/a/tiny/predictions", content=json.dumps(asked))
        assert answer.status_code == 415
        answer = await client.post(f"{HERE}/models/a/tiny/predictions", json=asked)
    assert answer.status_code == 422
    assert answer.json()["code"] == "no_webhook_secret"
    assert answer.json()["detail"].startswith("- webhook: ")
