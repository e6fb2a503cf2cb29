"""Textual inversions over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from darkroom.catalog import embedded_model_folder
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.registry import read_catalog
from darkroom.services import Services
from tests.gateway import GENERATIONS, client_of
from tests.unit.catalog.test_embeddings import written

WIDTH = 128  # of the embedded model's text encoder


@pytest.fixture
async def client(services: Services, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Of services that know one embedding that fits, one that does not, and one that is broken."""
    files = {
        "neon": written(tmp_path, {"emb_params": [2, WIDTH]}, "neon.safetensors"),
        "xl": written(tmp_path, {"clip_l": [1, 768], "clip_g": [1, 1280]}, "xl.safetensors"),
        "torn": tmp_path / "torn.safetensors",
    }
    files["torn"].write_bytes(b"")
    folder = embedded_model_folder()
    catalog = read_catalog({"tiny": folder}, default="tiny", digests=DigestCache(), embeddings=files)
    async with client_of(replace(services, catalog=catalog)) as client:
        yield client


async def test_embeddings_tell_what_they_fit_and_which_are_broken(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.get("/api/v1/embeddings")

    neon, large = answer.json()["embeddings"]
    assert (neon["name"], neon["vectors"], neon["models"], len(neon["sha256"])) == ("neon", 2, ["tiny"], 64)
    assert (large["name"], large["models"]) == ("xl", [])
    assert [(entry["name"], entry["code"]) for entry in answer.json()["unavailable"]] == [("torn", "broken_weights")]
    assert str(tmp_path) not in answer.text
    assert (await client.get("/api/v1/capabilities")).json()["embeddings"] == ["neon", "xl"]


async def test_a_prompt_uses_embeddings_by_their_names(client: httpx.AsyncClient) -> None:
    asked = {"prompt": "a (neon:1.2) street, xl, torn", "clip_skip": 1}

    answer = (await client.post(GENERATIONS, json=asked)).json()

    assert [embedding["name"] for embedding in answer["plan"]["embeddings"]] == ["neon"]
    assert [notice["field"] for notice in answer["warnings"]] == ["prompt", "prompt"]
    assert answer["plan"]["clip_skip"] == 1
