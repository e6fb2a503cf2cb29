"""A ledger that is copied while it works, and what a copy is worth: as docs/backup.md says."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from darkroom.contract.job import JobState
from darkroom.errors import ConfigurationError
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import LocalRedis
from tests.integration.ledger.making import submission
from tests.until import until

pytestmark = pytest.mark.slow
FOLDER = "appendonlydir"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalRedis]:
    with LocalRedis(tmp_path / "ledger") as server:
        yield server


def operator(server: LocalRedis) -> Redis:
    return Redis(port=server.port, decode_responses=True)


def await_rewrite(client: Redis) -> None:
    deadline = time.monotonic() + 60
    while client.info("persistence")["aof_rewrite_in_progress"] or client.info("persistence")["aof_rewrite_scheduled"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def copied(server: LocalRedis, there: Path) -> None:
    """No rewrite begins or is under way while files are copied."""
    with operator(server) as client:
        client.config_set("auto-aof-rewrite-percentage", 0)
        await_rewrite(client)
        shutil.copytree(server.folder / FOLDER, there / FOLDER)
        client.config_set("auto-aof-rewrite-percentage", 100)


async def work(ledger: RedisLedger, accepted: list[str], enough: asyncio.Event) -> None:
    while not enough.is_set():
        accepted.append((await ledger.submit(submission())).job.id)


async def states(server: LocalRedis, ids: list[str]) -> set[JobState]:
    ledger = RedisLedger(server.url, patience=30)
    try:
        return {(await ledger.get("ann", job_id)).state for job_id in ids}
    finally:
        await ledger.close()


async def test_a_copy_made_while_jobs_come_holds_all_that_were_accepted_before(
    server: LocalRedis, tmp_path: Path
) -> None:
    ledger, accepted, enough = RedisLedger(server.url), list[str](), asyncio.Event()
    coming = asyncio.create_task(work(ledger, accepted, enough))
    await until(lambda: len(accepted) >= 50, seconds=60)
    with operator(server) as client:
        client.bgrewriteaof()  # which the copy has to wait for
    before = list(accepted)
    await asyncio.to_thread(copied, server, tmp_path / "copy")
    enough.set()
    await coming
    await ledger.close()
    assert len(accepted) > len(before), "it worked on meanwhile"
    with LocalRedis(tmp_path / "copy") as restored:
        assert await states(restored, before) == {JobState.QUEUED}


async def test_a_copy_that_a_rewrite_fell_into_does_not_start(server: LocalRedis, tmp_path: Path) -> None:
    """Why rewrites are held back: the list of files is of before, and the files are of after."""
    (tmp_path / "copy").mkdir()
    shutil.copytree(server.folder / FOLDER, tmp_path / "listed")
    with operator(server) as client:
        client.set("something", "to write")
        client.bgrewriteaof()
        await_rewrite(client)
    shutil.copytree(server.folder / FOLDER, tmp_path / "copy" / FOLDER)
    for listed in (tmp_path / "listed").glob("*.manifest"):
        shutil.copy(listed, tmp_path / "copy" / FOLDER)
    with pytest.raises(ConfigurationError, match="stopped at start"), LocalRedis(tmp_path / "copy"):
        pass


async def test_a_copy_that_ends_in_the_middle_of_a_write_loses_that_write_alone(
    server: LocalRedis, tmp_path: Path
) -> None:
    ledger = RedisLedger(server.url)
    ids = [(await ledger.submit(submission())).job.id for _ in range(5)]
    await ledger.close()
    copied(server, tmp_path / "copy")
    (written,) = (tmp_path / "copy" / FOLDER).glob("*.incr.aof")
    written.write_bytes(written.read_bytes()[:-7])
    with LocalRedis(tmp_path / "copy") as restored:
        assert await states(restored, ids[:-1]) == {JobState.QUEUED}


def test_a_dump_alone_is_not_read_by_a_server_with_an_append_only_file(server: LocalRedis, tmp_path: Path) -> None:
    """Why it is no backup of ours, though it is what most of Redis' instructions copy."""
    with operator(server) as client:
        client.set("kept", "1")
        client.save()
    (tmp_path / "copy").mkdir()
    shutil.copy(server.folder / "dump.rdb", tmp_path / "copy")
    with LocalRedis(tmp_path / "copy") as restored, operator(restored) as client:
        assert client.get("kept") is None


def test_the_server_that_was_copied_from_goes_on_rewriting(server: LocalRedis, tmp_path: Path) -> None:
    copied(server, tmp_path / "copy")
    with operator(server) as client:
        assert client.config_get("auto-aof-rewrite-percentage") == {"auto-aof-rewrite-percentage": "100"}
