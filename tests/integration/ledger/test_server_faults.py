"""A server that freezes, dies, fills up or forgets: what callers see, and what survives."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from darkroom.contract.job import JobState
from darkroom.errors import LedgerUnavailable
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.rules import DAY_MS, Rules
from darkroom.ledger.server import AppendFsync, LocalRedis
from tests.integration.ledger.making import DIED, claimed, position, submission, submitted, succeeded

pytestmark = [pytest.mark.slow, pytest.mark.timed]

PATIENCE = 2.0
SLACK = 0.5  # for a busy machine to schedule us


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalRedis]:
    """A server of this test's own, to be treated badly."""
    with LocalRedis(tmp_path / "own") as own:
        yield own


@pytest.fixture
async def ledger(server: LocalRedis) -> AsyncIterator[RedisLedger]:
    ledger = RedisLedger(server.url, patience=PATIENCE, rules=Rules(lease_ms=50))
    yield ledger
    await ledger.close()


@pytest.fixture
async def admin(server: LocalRedis) -> AsyncIterator[Redis]:
    client = Redis.from_url(server.url, decode_responses=True)
    yield client
    await client.aclose()


async def test_a_frozen_server_is_given_up_within_two_seconds(server: LocalRedis, ledger: RedisLedger) -> None:
    job_id = await submitted(ledger)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        calls = [
            ledger.get("ann", job_id),
            ledger.submit(submission()),
            ledger.jobs("ann", limit=5),
            ledger.events(job_id, after="1", wait=30),
            ledger.check(),
            *(ledger.waiting() for _ in range(30)),
        ]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert time.monotonic() - started < PATIENCE + SLACK
        assert {type(answer) for answer in answers} == {LedgerUnavailable}
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert (await ledger.get("ann", job_id)).id == job_id


async def test_a_dead_server_is_told_at_once_and_its_heir_is_used(server: LocalRedis, ledger: RedisLedger) -> None:
    job_id = await submitted(ledger)
    server.stop()
    started = time.monotonic()
    with pytest.raises(LedgerUnavailable):
        await ledger.get("ann", job_id)
    assert time.monotonic() - started < PATIENCE
    server.start()
    assert (await ledger.get("ann", job_id)).state is JobState.QUEUED
    assert (await claimed(ledger)).job_id == job_id


async def test_what_was_acknowledged_survives_kill_nine(server: LocalRedis, ledger: RedisLedger) -> None:
    acknowledged: list[str] = []

    async def keep_submitting(tenant: str) -> None:
        while True:
            try:
                acknowledged.append(await submitted(ledger, tenant))
            except LedgerUnavailable:
                return

    for _ in range(3):
        writers = [asyncio.create_task(keep_submitting(f"tenant-{i}")) for i in range(4)]
        before = len(acknowledged)
        while len(acknowledged) < before + 20:
            await asyncio.sleep(0.01)
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.gather(*writers)
        server.stop()
        server.start()
    for job_id in acknowledged:
        assert await position(ledger, job_id) is not None
    assert (await ledger.waiting())["tiny"] >= len(acknowledged)


async def test_an_outage_is_not_held_against_the_workers(server: LocalRedis, tmp_path: Path) -> None:
    """When the server is back every lease is over; whoever noticed the outage waits one more lease before it reaps."""
    ledger = RedisLedger(server.url, rules=Rules(lease_ms=1500))
    try:
        await submitted(ledger)
        claim = await claimed(ledger)
        server.stop()
        await asyncio.sleep(1.6)
        with pytest.raises(LedgerUnavailable):
            await ledger.waiting()
        server.start()
        assert (await ledger.reap()).requeued == ()
        assert (await ledger.renew("worker", {claim.job_id: claim.attempt})).lost == frozenset()
    finally:
        await ledger.close()


async def test_a_worker_that_was_seen_to_die_needs_no_benefit_of_the_doubt(server: LocalRedis) -> None:
    ledger = RedisLedger(server.url, rules=Rules(lease_ms=2000))
    try:
        dead, silent = await submitted(ledger), await submitted(ledger)
        await ledger.claim("dead", ["tiny"], 1)
        await ledger.claim("silent", ["tiny"], 1)
        server.stop()
        with pytest.raises(LedgerUnavailable):
            await ledger.waiting()
        server.start()
        await ledger.abandon("dead", DIED)
        assert (await ledger.reap()).requeued == (dead,)
        async with asyncio.timeout(5):
            while silent not in (await ledger.reap()).requeued:
                await asyncio.sleep(0.02)
    finally:
        await ledger.close()


async def test_a_full_server_is_away_and_not_broken(ledger: RedisLedger, admin: Redis) -> None:
    job_id = await submitted(ledger)
    await admin.config_set("maxmemory", 1)
    with pytest.raises(LedgerUnavailable):
        await submitted(ledger)
    assert (await ledger.get("ann", job_id)).state is JobState.QUEUED


async def test_a_replica_is_away_and_not_broken(ledger: RedisLedger, admin: Redis) -> None:
    await submitted(ledger)
    await admin.execute_command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(LedgerUnavailable):
        await submitted(ledger)


async def test_scripts_the_server_forgot_are_sent_again(ledger: RedisLedger, admin: Redis) -> None:
    await submitted(ledger)
    await admin.script_flush()
    await submitted(ledger)
    assert await ledger.waiting() == {"tiny": 2}


async def test_leases_run_by_the_servers_own_clock(ledger: RedisLedger) -> None:
    job_id = await submitted(ledger)
    claim = await claimed(ledger)
    assert abs(claim.lease_until - time.time()) < 5
    await asyncio.sleep(0.1)
    assert (await ledger.reap()).requeued == (job_id,)
    heir = await claimed(ledger)
    assert (await ledger.finish(job_id, heir.attempt, succeeded())).attempt == 2


async def test_idempotency_keys_live_for_a_day(ledger: RedisLedger, admin: Redis) -> None:
    await submitted(ledger, key="k")
    (name,) = await admin.keys("*:use:*")
    assert DAY_MS - 60_000 < await admin.pttl(name) <= DAY_MS


async def test_all_keys_lie_in_one_slot(ledger: RedisLedger, admin: Redis) -> None:
    await submitted(ledger, key="k", deadline_at=time.time() + 60)
    await claimed(ledger)
    names = await admin.keys("*")
    assert names
    assert all(name.startswith("{darkroom}:") for name in names)


async def test_many_who_wait_share_few_connections(ledger: RedisLedger, admin: Redis) -> None:
    job_id = await submitted(ledger)
    (queued,) = await ledger.events(job_id)
    readers = [asyncio.create_task(ledger.events(job_id, after=queued.id, wait=20)) for _ in range(200)]
    await asyncio.sleep(0.5)
    assert len(await admin.client_list()) <= 17 + 1
    await ledger.cancel("ann", job_id)
    answers = await asyncio.gather(*readers)
    assert {tuple(event.name for event in events) for events in answers} == {("canceled",)}


async def test_who_waits_is_told_even_when_the_bell_is_cut(ledger: RedisLedger, admin: Redis) -> None:
    job_id = await submitted(ledger)
    (queued,) = await ledger.events(job_id)
    reader = asyncio.create_task(ledger.events(job_id, after=queued.id, wait=20))
    await asyncio.sleep(0.1)
    await admin.client_kill_filter(_type="pubsub")
    await ledger.cancel("ann", job_id)
    assert [event.name for event in await asyncio.wait_for(reader, 5)] == ["canceled"]


@pytest.mark.parametrize(
    ("policy", "fsync", "problems", "warnings"),
    [
        ("noeviction", "always", 0, 0),
        ("noeviction", "everysec", 0, 1),
        ("allkeys-lru", "always", 1, 0),
        ("volatile-ttl", "always", 1, 0),
    ],
)
async def test_check_refuses_eviction_and_warns_of_lazy_syncing(
    ledger: RedisLedger, admin: Redis, policy: str, fsync: AppendFsync, problems: int, warnings: int
) -> None:
    await admin.config_set("maxmemory-policy", policy)
    await admin.config_set("appendfsync", fsync)
    health = await ledger.check()
    assert (len(health.problems), len(health.warnings)) == (problems, warnings)
    assert health.losses == health.warnings


async def test_check_warns_of_a_server_without_append_only_file(ledger: RedisLedger, admin: Redis) -> None:
    await admin.config_set("appendonly", "no")
    health = await ledger.check()
    assert "appendonly" in health.warnings[0]
    assert health.losses == health.warnings


async def test_check_only_doubts_a_server_that_keeps_its_settings_to_itself(ledger: RedisLedger, admin: Redis) -> None:
    await admin.execute_command("ACL", "SETUSER", "default", "-config|get")
    try:
        health = await ledger.check()
    finally:
        await admin.execute_command("ACL", "SETUSER", "default", "+config|get")
    assert ["does not tell" in warning for warning in health.warnings] == [True]
    assert health.losses == ()


async def test_a_local_server_dies_with_its_owner(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib; from darkroom.ledger.server import LocalRedis;"
        "print(LocalRedis(pathlib.Path(sys.argv[1])).start().pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < deadline, "the server outlived its owner"
        await asyncio.sleep(0.02)


def _alive(pid: int) -> bool:
    """Is there such a process that is more than a zombie nobody has collected yet?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
