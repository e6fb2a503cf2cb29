"""Sketches of a running generation, as its caller sees them."""

from typing import Any

import httpx
import pytest

from darkroom.contract.job import Progress
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, ask, claim_one, client_of, finish_one, problem_in

FRAME = b"\xff\xd8\xff\xe0 not really, but the gateway does not look"


async def test_a_frame_comes_as_it_was_shown_and_is_kept_by_nobody(
    services: Services, client: httpx.AsyncClient
) -> None:
    job_id = (await ask(client, previews=True, n=2))["id"]
    claim = await claim_one(services)
    assert claim.generation.previews
    url = f"{GENERATIONS}/{job_id}/previews/1"
    early = await client.get(url)
    assert (early.status_code, problem_in(early)["code"]) == (404, "not_found")
    await services.ledger.show_preview(job_id, claim.attempt, 1, FRAME)
    answer = await client.get(url)
    assert (answer.status_code, answer.content) == (200, FRAME)
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert (await client.head(url)).headers["Content-Length"] == str(len(FRAME))


async def test_a_finished_generation_has_its_pictures_instead(services: Services, client: httpx.AsyncClient) -> None:
    job_id = (await ask(client, previews=True))["id"]
    await finish_one(services)
    answer = await client.get(f"{GENERATIONS}/{job_id}/previews/0")
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_found")


async def test_its_progress_tells_of_new_frames(services: Services, client: httpx.AsyncClient) -> None:
    job_id = (await ask(client, previews=True))["id"]
    claim = await claim_one(services)
    await services.ledger.report((job_id, claim.attempt, Progress(step=3, steps=20, previews=2)))
    shown: Any = (await client.get(f"{GENERATIONS}/{job_id}")).json()
    assert shown["progress"] == {"step": 3, "steps": 20, "previews": 2}


@pytest.mark.parametrize("index", ["-1", "1000", "x", "9" * 5000])
async def test_an_index_that_cannot_be_is_refused(client: httpx.AsyncClient, index: str) -> None:
    job_id = (await ask(client))["id"]
    answer = await client.get(f"{GENERATIONS}/{job_id}/previews/{index}")
    assert (answer.status_code, problem_in(answer)["field"]) == (422, "index")


async def test_where_the_operator_wants_none_the_request_is_told_so() -> None:
    async with client_of(fake_services(previews=False)) as client:
        asked: Any = await ask(client, previews=True)
        assert not asked["plan"]["previews"]
        assert [notice["field"] for notice in asked["warnings"]] == ["previews"]
        assert (await ask(client))["warnings"] == []
