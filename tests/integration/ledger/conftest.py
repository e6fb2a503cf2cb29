"""The ledger under test: in memory, and on a real server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import Ledger
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.rules import Rules
from darkroom.ledger.server import LocalRedis
from tests.integration.ledger.clocks import STILL_LUA, StillClock

RULES = Rules(
    max_queued=8,
    max_queued_per_tenant=6,
    max_queued_ms=3_600_000,
    max_disabled=2,
    attempts_kept=5,
    result_ttl_ms=60_000,
    max_preferences=3,
    preferences_ttl_ms=90_000_000,
)


@dataclass
class Bench:
    """A ledger and the clock it goes by."""

    ledger: Ledger
    clock: StillClock


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.slow)])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "memory":
        clock = StillClock()
        yield Bench(MemoryLedger(RULES, clock), clock)
        return
    server: LocalRedis = request.getfixturevalue("valkey")
    prefix: str = request.getfixturevalue("key_prefix")
    client = Redis.from_url(server.url)
    ledger = RedisLedger(server.url, prefix=prefix, rules=RULES, clock=STILL_LUA)
    try:
        yield Bench(ledger, await StillClock.on_server(client, prefix))
    finally:
        await ledger.close()
        await client.aclose()


@pytest.fixture
def ledger(bench: Bench) -> Ledger:
    return bench.ledger


@pytest.fixture
def clock(bench: Bench) -> StillClock:
    return bench.clock
