"""Fixtures: a real Valkey on loopback, one for the whole run, and a corner of it for each test."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from darkroom.ledger.server import LocalRedis


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    """The shared server. Leave it running and configured as it is; for anything rougher start a `LocalRedis`."""
    with LocalRedis(tmp_path_factory.mktemp("valkey"), appendfsync="no") as server:
        yield server


@pytest.fixture
def key_prefix() -> str:
    """A prefix nobody else uses, for `Settings.key_prefix`."""
    return f"test-{uuid4().hex}"


@pytest.fixture
async def redis_client(valkey: LocalRedis) -> AsyncIterator[Redis]:
    """A plain client that looks behind the ledger's back."""
    client = Redis.from_url(valkey.url, decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()
