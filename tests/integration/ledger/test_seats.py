"""What the server keeps ready, to look it up: what happens where an older version did not keep it."""

import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import LocalRedis
from tests.integration.ledger.making import claimed, submitted

pytestmark = pytest.mark.slow


@pytest.fixture
async def client(valkey: LocalRedis) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey.url, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
async def server_ledger(valkey: LocalRedis, key_prefix: str) -> AsyncIterator[RedisLedger]:
    ledger = RedisLedger(valkey.url, prefix=key_prefix)
    yield ledger
    await ledger.close()


async def test_what_an_older_version_put_in_line_is_found_by_the_next_sweep(
    server_ledger: RedisLedger, client: Redis, key_prefix: str
) -> None:
    job_id = await submitted(server_ledger)
    tag, desk = f"{{{key_prefix}}}", "interactive:tiny"
    await client.delete(f"{tag}:turn:{desk}", f"{tag}:seats:{desk}")
    await client.sadd(f"{tag}:desk:{desk}", "ann")
    assert await server_ledger.claim("worker", ["tiny"], 1) == []
    await server_ledger.reap()
    assert (await claimed(server_ledger)).job_id == job_id
    assert not await client.exists(f"{tag}:desk:{desk}")


async def test_a_seat_whose_line_an_older_version_moved_is_moved_when_its_turn_comes(
    server_ledger: RedisLedger, client: Redis, key_prefix: str
) -> None:
    first, second = await submitted(server_ledger, "ann"), await submitted(server_ledger, "ann")
    bobs = await submitted(server_ledger, "bob")
    line = f"{{{key_prefix}}}:line:interactive:tiny"
    await client.zrem(f"{line}:ann", first)
    assert (await claimed(server_ledger)).job_id == second
    await client.zrem(f"{line}:bob", bobs)
    assert await server_ledger.claim("worker", ["tiny"], 1) == []


async def test_nothing_of_the_index_stays_when_nobody_waits(
    server_ledger: RedisLedger, client: Redis, key_prefix: str
) -> None:
    await submitted(server_ledger)
    await claimed(server_ledger)
    assert not [key async for key in client.scan_iter(f"{{{key_prefix}}}:*") if ":turn:" in key or ":seats:" in key]


async def test_a_worker_of_an_older_version_is_counted_until_its_word_runs_out(
    server_ledger: RedisLedger, client: Redis, key_prefix: str
) -> None:
    tag = f"{{{key_prefix}}}"
    soon = 1000 * time.time() + 10_000
    await client.zadd(f"{tag}:serving", {"tiny old": soon, "other old": soon, "tiny gone": 1})
    await server_ledger.attend("new", ["tiny"])
    assert await server_ledger.serving() == {"tiny": 2, "other": 1}
    (outlook,) = (await server_ledger.foresee([await submitted(server_ledger)])).values()
    assert outlook.workers == 2
    await server_ledger.abandon("old", "it died")
    assert await server_ledger.serving() == {"tiny": 1}


async def test_of_workers_that_left_nothing_stays(server_ledger: RedisLedger, client: Redis, key_prefix: str) -> None:
    await server_ledger.attend("worker", ["tiny", "other"])
    await server_ledger.attend("worker", [])
    assert await server_ledger.serving() == {}
    assert [key async for key in client.scan_iter(f"{{{key_prefix}}}:*")] == []
