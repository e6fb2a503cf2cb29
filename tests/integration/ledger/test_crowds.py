"""Many jobs in line: others are not delayed by them, nor is anybody made to wait for an answer."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

import pytest
from redis.asyncio import Redis

from darkroom.errors import QueueFull
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import Ledger
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.rules import Rules
from darkroom.ledger.server import LocalRedis
from tests.integration.ledger.making import submission, submitted, succeeded

pytestmark = pytest.mark.timed

WORKERS = ("one", "two", "three")
FLOOD = 1_000
CROWD = 10_000
SOON = 0.1  # seconds in which a refusal is promised


@pytest.fixture
async def server_ledger(valkey: LocalRedis, key_prefix: str) -> AsyncIterator[RedisLedger]:
    ledger = RedisLedger(valkey.url, prefix=key_prefix, rules=Rules(max_queued=CROWD, max_queued_per_tenant=CROWD))
    yield ledger
    await ledger.close()


async def delay_of_a_single_job(ledger: Ledger) -> int:
    """Flood's jobs that begin after another tenant's only one was asked for, and before that does."""
    for _ in range(FLOOD):
        await submitted(ledger, "flood")
    running = [(await ledger.claim(worker, ["tiny"], 1))[0] for worker in WORKERS]
    single = await submitted(ledger, "ann")
    for begun in range(20):
        done = running.pop(0)
        await ledger.finish(done.job_id, done.attempt, succeeded(1.0))
        (claim,) = await ledger.claim(WORKERS[begun % len(WORKERS)], ["tiny"], 1)
        if claim.job_id == single:
            return begun
        running.append(claim)
    raise AssertionError("the flood goes first")


@pytest.mark.slow
async def test_a_flood_of_a_thousand_delays_anothers_job_by_one_a_worker_at_most() -> None:
    assert await delay_of_a_single_job(MemoryLedger()) <= len(WORKERS)


@pytest.mark.slow
async def test_so_it_does_on_a_server(server_ledger: RedisLedger) -> None:
    assert await delay_of_a_single_job(server_ledger) <= len(WORKERS)


async def seconds_of_a_round(ledger: RedisLedger) -> float:
    """The median of taking a job in, lending it and ending it, with the line as long after as before."""
    rounds = []
    for number in range(40):
        started = time.perf_counter()
        await submitted(ledger, f"tenant-{number % 10}")
        (claim,) = await ledger.claim("one", ["tiny"], 1)
        await ledger.finish(claim.job_id, claim.attempt, succeeded(1.0))
        rounds.append(time.perf_counter() - started)
    return statistics.median(rounds)


async def filled(ledger: RedisLedger, jobs: int) -> None:
    for first in range(0, jobs, 10):
        await asyncio.gather(*(ledger.submit(submission(f"tenant-{n % 10}")) for n in range(first, first + 10)))


@pytest.mark.slow
async def test_ten_thousand_in_line_cost_no_more_than_a_few_and_the_next_is_refused_at_once(
    server_ledger: RedisLedger,
) -> None:
    await filled(server_ledger, 20)
    few = await seconds_of_a_round(server_ledger)
    await filled(server_ledger, CROWD - 30)
    many = await seconds_of_a_round(server_ledger)
    assert many < 3 * few + 0.005, "of a busy machine"
    await filled(server_ledger, 10)
    refused = []
    for _ in range(200):
        started = time.perf_counter()
        with pytest.raises(QueueFull):
            await server_ledger.submit(submission())
        refused.append(time.perf_counter() - started)
    p99 = statistics.quantiles(refused, n=100)[98]
    assert p99 < 3 * SOON, "thrice, for a busy machine"


async def slowest_script(ledger: RedisLedger, waiting: list[str]) -> float:
    """The milliseconds of the slowest of a claim for eight, a look at a page and a submission: the median of some."""
    rounds = []
    for _ in range(5):
        longest = 0.0
        for ask in (ledger.claim("one", ["tiny"], 8), ledger.foresee(waiting), ledger.submit(submission("new"))):
            started = time.perf_counter()
            await ask
            longest = max(longest, time.perf_counter() - started)
        rounds.append(1000 * longest)
    return statistics.median(rounds)


@pytest.mark.slow
async def test_a_thousand_tenants_at_one_desk_hold_nobody_up(server_ledger: RedisLedger) -> None:
    """A page of a hundred took over a second once, and the server does nothing else meanwhile."""
    await server_ledger.attend("one", ["tiny"])
    for first in range(0, 1_000, 10):
        await asyncio.gather(*(server_ledger.submit(submission(f"tenant-{n}")) for n in range(first, first + 10)))
    page = [await submitted(server_ledger, "ann") for _ in range(100)]
    assert await slowest_script(server_ledger, page) < 1000 * SOON


async def server_us(client: Redis, asks: Sequence[Callable[[], Awaitable[object]]]) -> float:
    """Microseconds of the server's own CPU for each of these: other work on the machine makes them no more."""
    before = await client.info("cpu")
    for ask in asks:
        await ask()
    after = await client.info("cpu")
    names = ("used_cpu_user_main_thread", "used_cpu_sys_main_thread")
    return 1e6 * sum(after[name] - before[name] for name in names) / len(asks)


@pytest.mark.slow
async def test_a_thousand_workers_cost_the_server_no_more_each_than_ten(
    server_ledger: RedisLedger, valkey: LocalRedis
) -> None:
    """Each says every few seconds what it serves, and every submission asks how many do: all were looked through once,
    which took twelve times as long."""

    async def cost() -> float:
        attending = [partial(server_ledger.attend, f"worker-{n % 10}", ["tiny", "other"]) for n in range(100)]
        return await server_us(
            client, attending + [partial(submitted, server_ledger, f"tenant-{n}") for n in range(10)]
        )

    async with Redis.from_url(valkey.url) as client:
        few = await cost()
        for number in range(1_000):
            await server_ledger.attend(f"worker-{number}", ["tiny", "other"])
        assert await cost() < 3 * few
    assert await server_ledger.serving() == {"tiny": 1_000, "other": 1_000}
