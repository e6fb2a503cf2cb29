"""Presigned URLs of a real S3 server: what they give, and what they refuse."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from darkroom.settings import Settings
from darkroom.storage import ObjectStore, open_store
from tests.servers.seaweedfs import S3Server

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(s3_store: ObjectStore) -> ObjectStore:
    return s3_store


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def signed(store: ObjectStore, key: str, expires: timedelta = MINUTE) -> str:
    url = await store.url(key, expires=expires, media_type="image/png", filename="cat-0.png")
    assert url is not None
    return url


async def test_a_presigned_url_gives_the_object_with_our_type_and_name(
    store: ObjectStore, key: str, http: httpx.AsyncClient
) -> None:
    await store.put(key, b"picture", media_type="application/octet-stream")
    answer = await http.get(await signed(store, key))
    assert (answer.status_code, answer.content) == (200, b"picture")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == 'inline; filename="cat-0.png"'


async def test_an_expired_url_is_refused(store: ObjectStore, key: str, http: httpx.AsyncClient) -> None:
    await store.put(key, b"picture", media_type="image/png")
    url = await signed(store, key, timedelta(seconds=1))
    await asyncio.sleep(2.1)
    assert (await http.get(url)).status_code == 403


@pytest.mark.parametrize(
    ("part", "tampered"),
    [
        ("response-content-type=image%2Fpng", "response-content-type=text%2Fhtml"),
        ("X-Amz-Expires=60", "X-Amz-Expires=600"),
        ("/0.png?", "/1.png?"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
    ],
)
async def test_a_tampered_url_is_refused(
    store: ObjectStore, key: str, http: httpx.AsyncClient, part: str, tampered: str
) -> None:
    await store.put(key, b"picture", media_type="image/png")
    await store.put(key.replace("0.png", "1.png"), b"another's picture", media_type="image/png")
    url = await signed(store, key)
    assert part in url
    answer = await http.get(url.replace(part, tampered))
    assert answer.status_code == 403
    assert b"picture" not in answer.content


async def test_a_url_to_read_does_not_write_or_delete(store: ObjectStore, key: str, http: httpx.AsyncClient) -> None:
    await store.put(key, b"picture", media_type="image/png")
    url = await signed(store, key)
    assert (await http.put(url, content=b"forged")).status_code == 403
    assert (await http.delete(url)).status_code == 403
    assert await store.get(key) == b"picture"


async def test_without_a_signature_nothing_is_given_or_listed(
    store: ObjectStore, key: str, seaweedfs: S3Server, http: httpx.AsyncClient
) -> None:
    await store.put(key, b"picture", media_type="image/png")
    for path in (seaweedfs.bucket, f"{seaweedfs.bucket}/{key}"):
        assert (await http.get(f"{seaweedfs.endpoint}/{path}")).status_code == 403


async def test_urls_name_the_public_endpoint_and_calls_use_the_internal_one(
    seaweedfs: S3Server, key: str, http: httpx.AsyncClient
) -> None:
    # `localhost` is another host to a signature, and the same server.
    public = seaweedfs.endpoint.replace("127.0.0.1", "localhost")
    store = open_store(Settings(**seaweedfs.settings(), s3_public_endpoint=public))
    await store.put(key, b"picture", media_type="image/png")
    url = await signed(store, key)
    assert url.startswith(f"{public}/{seaweedfs.bucket}/{key}?")
    assert (await http.get(url)).content == b"picture"
    assert (await http.get(url.replace("localhost", "127.0.0.1"))).status_code == 403
    await store.close()


async def test_a_public_endpoint_nobody_can_reach_from_here_does_not_disturb(seaweedfs: S3Server, key: str) -> None:
    store = open_store(Settings(**seaweedfs.settings(), s3_public_endpoint="https://pictures.example.com"))
    await store.put(key, b"picture", media_type="image/png")
    assert await store.get(key) == b"picture"
    assert urlsplit(await signed(store, key)).hostname == "pictures.example.com"
    await store.close()


async def test_the_secret_key_is_not_in_the_url(store: ObjectStore, key: str, seaweedfs: S3Server) -> None:
    url = await signed(store, key)
    assert seaweedfs.secret_key not in url
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["60"]
