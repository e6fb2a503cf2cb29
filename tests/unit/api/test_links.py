"""Links to pictures that need no key: good for an hour, and for one picture."""

import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from starlette.requests import Request

from api import links
from api.links import check, picture_url, signed_path
from darkroom.contract.job import Job
from darkroom.errors import BadLink
from darkroom.services import Services
from darkroom.services.subkeys import Subkeys
from darkroom.storage import MemoryStore
from tests.fakes import WATERMARK_SECRET, fake_services
from tests.gateway import API_KEYS, PICTURE, ask, client_of, finish_one, problem_in

KEY = Subkeys.of(WATERMARK_SECRET).links
NAME = "01ARZ3NDEKTSV4RRFFQ69G5FAV-0.png"


@pytest.fixture
def services() -> Services:
    return fake_services(allow_anonymous=False, api_keys=API_KEYS)


async def made(services: Services) -> Job:
    async with client_of(services, "alice") as client:
        await ask(client)
        return await finish_one(services)


async def link_to(services: Services, job: Job) -> str:
    request = Request({"type": "http", "path": "/", "headers": [(b"host", b"127.0.0.1:8000")], "scheme": "http"})
    return await picture_url(services, request, job.artifacts[0])


async def test_a_link_leads_to_the_picture_without_a_key_on_any_page(services: Services) -> None:
    url = await link_to(services, await made(services))
    async with client_of(services) as client:
        answer = await client.get(url, headers={"Origin": "https://chat.example", "Sec-Fetch-Site": "cross-site"})
        head = await client.head(url)
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    private, age, immutable = answer.headers["Cache-Control"].split(", ")
    assert (private, immutable) == ("private", "immutable")
    assert 3590 <= int(age.removeprefix("max-age=")) <= 3600
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(PICTURE)))


async def test_a_link_says_what_kind_of_picture_it_leads_to_and_nothing_of_whose(services: Services) -> None:
    job = await made(services)
    url = urlsplit(await link_to(services, job))
    assert url.path == f"/api/v1/pictures/{job.id}-0.png"
    assert [name for name, _ in parse_qsl(url.query)] == ["expires", "signature"]


async def test_a_store_that_presigns_is_asked_for_its_own(services: Services) -> None:
    class SigningStore(MemoryStore):
        async def url(self, key: str, *, expires: timedelta, media_type: str, filename: str) -> str | None:
            return f"https://store.example/{key}?{expires.total_seconds():.0f}&{media_type}&{filename}"

    job = await made(services)
    link = await link_to(replace(services, store=SigningStore()), job)
    assert link == f"https://store.example/images/{job.id}/0.png?3600&image/png&{job.id}-0.png"


async def altered(url: str, **changes: str | None) -> str:
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **changes}
    return f"{parts.path}?{urlencode({name: value for name, value in query.items() if value is not None})}"


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": "99999999999"},
        {"expires": ""},
        {"expires": None},
        {"signature": None},
        {"signature": ""},
        {"signature": "é"},
        {"signature": "A" * 43},
        {"signature": "A" * 4000},
    ],
)
async def test_an_altered_link_leads_nowhere(services: Services, changes: dict[str, str | None]) -> None:
    url = await altered(await link_to(services, await made(services)), **changes)
    async with client_of(services, "alice") as client:
        answer = await client.get(url)
    assert (answer.status_code, problem_in(answer)["code"]) == (403, "bad_link")


async def test_a_link_is_for_one_picture(services: Services) -> None:
    first, second = await made(services), await made(services)
    url = await link_to(services, first)
    async with client_of(services) as client:
        for other in (
            url.replace(first.id, second.id),
            url.replace("-0.png", "-1.png"),
            url.replace("-0.png", "-0.jpeg"),
        ):
            assert (await client.get(other)).status_code == 403
        for path in ("..%2F..%2Fetc", "%00", "x" * 3000):
            assert (await client.get(f"{links.PREFIX}/{path}?{urlsplit(url).query}")).status_code in (403, 404)


async def test_a_picture_that_is_gone_is_not_stored(services: Services, client: httpx.AsyncClient) -> None:
    job = await made(services)
    url = await link_to(services, job)
    await services.store.delete(job.artifacts[0].key)
    async with client_of(services) as client:
        answer = await client.get(url)
    assert (answer.status_code, problem_in(answer)["code"]) == (404, "not_stored")


def parts_of(path: str) -> tuple[str, str]:
    query = dict(parse_qsl(urlsplit(path).query))
    return query["expires"], query["signature"]


def test_a_link_is_good_for_an_hour() -> None:
    now = time.time()
    expires, signature = parts_of(signed_path(KEY, NAME, now))
    check(KEY, NAME, expires, signature, now + 3598)
    with pytest.raises(BadLink, match="expired"):
        check(KEY, NAME, expires, signature, now + 3600)


@pytest.mark.parametrize("spelt", ["0{}", " {}", "+{}", "{}\n", "{}.0"])
def test_a_time_has_one_spelling(spelt: str) -> None:
    expires, signature = parts_of(signed_path(KEY, NAME, time.time()))
    with pytest.raises(BadLink, match="altered"):
        check(KEY, NAME, spelt.format(expires), signature, time.time())


def test_a_link_of_another_installation_is_none_of_ours() -> None:
    other = Subkeys.of(bytes(32))
    expires, signature = parts_of(signed_path(other.links, NAME, time.time()))
    with pytest.raises(BadLink):
        check(KEY, NAME, expires, signature, time.time())
    assert len({other.links, other.callers, KEY, Subkeys.of(WATERMARK_SECRET).callers}) == 4


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def watched(first: bytes, second: bytes) -> bool:
        compared.append(second)
        return first == second

    monkeypatch.setattr("api.links.hmac.compare_digest", watched)
    expires, signature = parts_of(signed_path(KEY, NAME, time.time()))
    check(KEY, NAME, expires, signature, time.time())
    assert compared == [signature.encode()]
