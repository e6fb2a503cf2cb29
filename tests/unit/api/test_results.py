import hashlib
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from darkroom.services import Services
from darkroom.storage import MemoryStore
from tests.gateway import GENERATIONS, PICTURE, ask, client_of, finish_one, problem_in


@pytest.fixture
async def url(services: Services, client: httpx.AsyncClient) -> str:
    """The first picture of a finished generation."""
    job_id: str = (await ask(client))["id"]
    await finish_one(services)
    return f"{GENERATIONS}/{job_id}/images/0"


async def test_a_picture_comes_with_its_name_type_and_digest(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url)
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(PICTURE).hexdigest()}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    job_id = url.split("/")[-3]
    assert answer.headers["Content-Disposition"] == f'inline; filename="{job_id}-0.png"'
    assert "immutable" in answer.headers["Cache-Control"]


async def test_a_picture_one_holds_is_not_sent_again(client: httpx.AsyncClient, url: str) -> None:
    etag = (await client.get(url)).headers["ETag"]
    answer = await client.get(url, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    for held in ("*", f'"other", W/{etag}', f" {etag} "):
        assert (await client.get(url, headers={"If-None-Match": held})).status_code == 304
    for other in ('"other"', etag.strip('"'), f'"x{etag[1:]}', '"*"'):
        assert (await client.get(url, headers={"If-None-Match": other})).status_code == 200


async def test_a_store_with_addresses_of_its_own_is_asked_for_one_each_time(services: Services) -> None:
    class SigningStore(MemoryStore):
        signed = 0

        async def url(self, key: str, *, expires: timedelta, media_type: str, filename: str) -> str | None:
            self.signed += 1
            return f"https://store.example/{key}?signature={self.signed}&type={media_type}&name={filename}"

    signing = replace(services, store=SigningStore())
    async with client_of(signing) as client:
        job_id = (await ask(client))["id"]
        await finish_one(signing)
        first, second = [await client.get(f"{GENERATIONS}/{job_id}/images/0") for _ in range(2)]
    assert (first.status_code, first.content) == (307, b"")
    assert first.headers["Location"] == (
        f"https://store.example/images/{job_id}/0.png?signature=1&type=image/png&name={job_id}-0.png"
    )
    assert first.headers["Location"] != second.headers["Location"]
    assert first.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("index", ["1", "999"])
async def test_a_picture_that_was_not_made_is_not_found(client: httpx.AsyncClient, url: str, index: str) -> None:
    answer = await client.get(url.removesuffix("0") + index)
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("index", ["-1", "1000", "x", "0x0", "9" * 5000])
async def test_an_index_that_cannot_be_is_refused(client: httpx.AsyncClient, url: str, index: str) -> None:
    answer = await client.get(url.removesuffix("0") + index)
    assert (answer.status_code, problem_in(answer)["field"]) == (422, "index")


async def test_a_picture_the_store_lost_is_told_apart(services: Services, client: httpx.AsyncClient, url: str) -> None:
    await services.store.delete(f"images/{url.split('/')[-3]}/0.png")
    answer = await client.get(url)
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_stored")
