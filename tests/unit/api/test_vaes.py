"""VAEs over HTTP."""

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from darkroom.catalog import embedded_model_folder
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.registry import read_catalog
from darkroom.services import Services
from tests.gateway import GENERATIONS, ask, client_of, finish_one, problem_in


@pytest.fixture
def with_vaes(services: Services, tmp_path: Path) -> Services:
    """Services that know a copy of the embedded VAE, one of other latents, and one that is not there."""
    embedded = embedded_model_folder() / "vae"
    for name, scaling in (("copy", 1.0), ("other", 0.13025)):
        shutil.copytree(embedded, tmp_path / name)
        config = json.loads((embedded / "config.json").read_bytes())
        (tmp_path / name / "config.json").write_text(json.dumps({**config, "scaling_factor": scaling}))
    vaes = {name: tmp_path / name for name in ("copy", "other", "gone")}
    catalog = read_catalog({"tiny": embedded_model_folder()}, default="tiny", digests=DigestCache(), vaes=vaes)
    return replace(services, catalog=catalog)


@pytest.fixture
async def client(with_vaes: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(with_vaes) as client:
        yield client


async def test_vaes_tell_what_they_fit_and_which_are_broken(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.get("/api/v1/vaes")
    copy, other = answer.json()["vaes"]
    assert (copy["name"], copy["models"], other["models"]) == ("copy", ["tiny"], [])
    (gone,) = answer.json()["unavailable"]
    assert (gone["name"], gone["code"]) == ("gone", "missing_weights")
    assert str(tmp_path) not in answer.text
    assert (await client.get("/api/v1/capabilities")).json()["vaes"] == ["copy", "other"]


async def test_the_receipt_holds_what_decoded_the_picture(with_vaes: Services, client: httpx.AsyncClient) -> None:
    job = await ask(client, vae="copy")
    await finish_one(with_vaes)

    plan = (await client.get(f"{GENERATIONS}/{job['id']}")).json()["plan"]

    assert plan["vae"] == {"kind": "named", "name": "copy", "sha256": with_vaes.catalog.vaes.spec("copy", "vae").sha256}


@pytest.mark.parametrize(
    ("vae", "status", "code", "field"),
    [
        ("nope", 422, "unknown_vae", "vae"),
        ("other", 422, "vae_misfit", "vae"),
        ("gone", 503, "missing_weights", None),
        ("../copy", 422, "invalid_field", "vae"),
        (7, 422, "invalid_field", "vae"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_named(
    client: httpx.AsyncClient, vae: object, status: int, code: str, field: str | None
) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a", "vae": vae})

    assert answer.status_code == status
    problem = problem_in(answer)
    assert (problem["code"], problem.get("field")) == (code, field)


async def test_the_document_offers_the_vaes_there_are(client: httpx.AsyncClient) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    assert {"type": "string", "enum": ["copy", "other"]} in schemas["TextToImage"]["properties"]["vae"]["anyOf"]
