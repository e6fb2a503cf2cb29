"""The server configuration we hand to operators passes our own start-up checks."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis import asyncio as redis_asyncio
from redis.exceptions import RedisError

from darkroom.ledger.health import examine
from darkroom.ledger.server import find_server_binary, free_port

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "valkey.conf"

pytestmark = pytest.mark.slow


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    command = [find_server_binary(), str(CONFIGURATION), "--port", str(port), "--dir", str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL) as server,
        Redis(port=port, socket_timeout=1) as client,
    ):
        try:
            _wait_for(client)
            yield port
        finally:
            server.kill()


def _wait_for(client: Redis) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            client.ping()
            return
        except RedisError:
            time.sleep(0.02)
    pytest.fail("the server did not start with deploy/valkey.conf")


async def test_the_ledger_finds_nothing_to_warn_of(port: int) -> None:
    client = redis_asyncio.Redis(port=port, decode_responses=True)
    try:
        health = await examine(client, "{darkroom}")
    finally:
        await client.aclose()
    assert (health.problems, health.warnings) == ((), ())
