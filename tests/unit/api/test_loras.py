"""LoRAs over HTTP."""

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
from tests.unit.catalog.test_loras import file_of, kohya

TO_Q = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"


@pytest.fixture
def with_loras(services: Services, tmp_path: Path) -> Services:
    """Services that know one LoRA that fits, one that does not, and one that is broken."""
    contents = {
        "neon": file_of(kohya({TO_Q: ([2, 96], [96, 2])})),
        "xl": file_of(kohya({TO_Q: ([2, 1280], [1280, 2])})),
        "torn": b"",
    }
    files = {name: tmp_path / f"{name}.safetensors" for name in contents}
    for name, file in files.items():
        file.write_bytes(contents[name])
    catalog = read_catalog({"tiny": embedded_model_folder()}, default="tiny", digests=DigestCache(), loras=files)
    return replace(services, catalog=catalog)


@pytest.fixture
async def client(with_loras: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(with_loras) as client:
        yield client


async def test_loras_tell_what_they_fit_and_which_are_broken(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.get("/api/v1/loras")
    neon, xl = answer.json()["loras"]
    assert (neon["name"], neon["format"], neon["rank"], neon["networks"]) == ("neon", "kohya", 2, ["unet"])
    assert (neon["models"], xl["models"]) == (["tiny"], [])
    assert len(neon["sha256"]) == 64
    (torn,) = answer.json()["unavailable"]
    assert (torn["name"], torn["code"]) == ("torn", "broken_weights")
    assert str(tmp_path) not in answer.text
    assert (await client.get("/api/v1/capabilities")).json()["loras"] == ["neon", "xl"]


async def test_the_receipt_holds_what_was_laid_over_the_model(with_loras: Services, client: httpx.AsyncClient) -> None:
    job = await ask(client, loras=[{"model": "neon", "weight": 0.8}])
    await finish_one(with_loras)

    plan = (await client.get(f"{GENERATIONS}/{job['id']}")).json()["plan"]

    sha256 = with_loras.catalog.loras.spec("neon", "").sha256
    assert plan["loras"] == [{"model": "neon", "sha256": sha256, "weight": 0.8}]


@pytest.mark.parametrize(
    ("loras", "status", "code", "field"),
    [
        ([{"model": "nope"}], 422, "unknown_lora", "loras.0.model"),
        ([{"model": "neon"}, {"model": "xl"}], 422, "lora_misfit", "loras.1.model"),
        ([{"model": "neon"}, {"model": "neon"}], 422, "invalid_field", "loras.1.model"),
        ([{"model": "neon", "weight": 6}], 422, "invalid_field", "loras.0.weight"),
        ([{"model": "torn"}], 503, "broken_weights", None),
        ([{"model": "neon"}] * 9, 422, "invalid_field", "loras"),
        ("neon", 422, "invalid_field", "loras"),
    ],
)
async def test_what_cannot_be_applied_is_refused_and_named(
    client: httpx.AsyncClient, loras: object, status: int, code: str, field: str | None
) -> None:
    answer = await client.post(GENERATIONS, json={"prompt": "a", "loras": loras})

    assert answer.status_code == status
    problem = problem_in(answer)
    assert (problem["code"], problem.get("field")) == (code, field)
