"""An S3 server that is wrong, away, or silent: a named error, and soon."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from darkroom.errors import StoreUnavailable
from darkroom.settings import Settings
from darkroom.storage import ObjectStore, open_store
from tests.servers.seaweedfs import S3Server, run_seaweedfs

pytestmark = [pytest.mark.slow, pytest.mark.timed]

KEYS = {"s3_access_key": "AK", "s3_secret_key": "secret-canary"}


@pytest.fixture
def silent_endpoint() -> Iterator[str]:
    """Accepts connections (the kernel does) and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed_endpoint() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def s3(endpoint: str, **settings: str) -> ObjectStore:
    return open_store(Settings(store="s3", s3_endpoint=endpoint, **{**KEYS, **settings}))


async def test_a_closed_port_is_told_at_once(closed_endpoint: str) -> None:
    store, began = s3(closed_endpoint), time.monotonic()
    with pytest.raises(StoreUnavailable):
        await store.get("images/a/0.png")
    with pytest.raises(StoreUnavailable):
        await store.check()
    assert time.monotonic() - began < 1
    await store.close()


async def test_a_silent_server_is_given_up_within_two_seconds_however_many_wait(silent_endpoint: str) -> None:
    store, began = s3(silent_endpoint), time.monotonic()
    errors = await asyncio.gather(*(store.get(f"images/{n}/0.png") for n in range(64)), return_exceptions=True)
    assert {type(error) for error in errors} == {StoreUnavailable}
    # Sixteen threads: one after the other, without a bound on the whole call, they would take eight.
    assert time.monotonic() - began < 4
    await store.close()


async def test_an_upload_to_a_silent_server_is_given_up_soon(silent_endpoint: str) -> None:
    store, began = s3(silent_endpoint), time.monotonic()
    with pytest.raises(StoreUnavailable):
        await store.put("images/a/0.png", b"x" * 8_000_000, media_type="image/png")
    assert time.monotonic() - began < 8
    await store.close()


async def test_errors_name_no_address_and_no_secret(closed_endpoint: str) -> None:
    store = s3(closed_endpoint)
    with pytest.raises(StoreUnavailable) as raised:
        await store.get("images/a/0.png")
    assert "127.0.0.1" not in raised.value.detail
    assert "secret-canary" not in raised.value.detail
    assert "secret-canary" not in repr(store)
    await store.close()


async def test_urls_are_signed_without_asking_the_server(closed_endpoint: str) -> None:
    store = s3(closed_endpoint)
    url = await store.url("images/a/0.png", expires=timedelta(minutes=1), media_type="image/png", filename="0.png")
    assert url is not None
    assert url.startswith(closed_endpoint)
    await store.close()


@pytest.mark.parametrize("wrong", [{"s3_bucket": "no-such-bucket"}, {"s3_secret_key": "wrong"}, {"s3_access_key": "x"}])
async def test_a_wrong_bucket_or_key_fails_the_check_and_every_call(seaweedfs: S3Server, wrong: dict[str, str]) -> None:
    store = open_store(Settings(**{**seaweedfs.settings(), **wrong}))
    with pytest.raises(StoreUnavailable):
        await store.check()
    with pytest.raises(StoreUnavailable):
        await store.get("images/a/0.png")
    await store.close()


async def test_a_paused_server_is_given_up_and_served_again_when_it_wakes(tmp_path: Path) -> None:
    with run_seaweedfs(tmp_path / "s3") as server:
        store = open_store(Settings(**server.settings()))
        await store.put("images/a/0.png", b"picture", media_type="image/png")
        os.kill(server.pid, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await store.get("images/a/0.png")
        assert time.monotonic() - began < 4
        os.kill(server.pid, signal.SIGCONT)
        assert await store.get("images/a/0.png") == b"picture"
        await store.close()
