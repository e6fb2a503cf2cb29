"""What each call of the ledger costs its server, and whether that grows with what stands in it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr
from redis.asyncio import Redis

from benchmarks.ledger.line import MODELS, Line, succeeded
from benchmarks.ledger.meter import AT_ONCE, Ask, Cost, cost_of, together
from darkroom.contract.job import Progress
from darkroom.contract.preprocess import PREPROCESSING
from darkroom.ledger.protocol import Claim
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.rules import Rules
from darkroom.queue import RqBells, queue_name
from darkroom.settings import Settings

CALLS = 320  # of each kind
HELD = 4  # jobs whose leases a worker renews, and whose progress it tells, at a time
SERVED = 2  # models of a worker
REPORTS = 5  # of a job
MOST = 1_000_000

RULES = Rules(max_queued=MOST, max_queued_per_tenant=MOST, max_queued_ms=MOST * MOST)


@dataclass
class Bench:
    """A ledger of its own on a server, and who is at it."""

    server: Redis
    ledger: RedisLedger
    bells: RqBells
    line: Line
    workers: int

    async def attended(self) -> list[Ask]:
        """Calls by which each worker says what it serves, all of them made once."""
        await self.listen(range(self.workers))
        asks: list[Ask] = [
            _call(self.ledger.attend, f"worker-{number}", _served(number)) for number in range(self.workers)
        ]
        await together(asks)
        return asks

    async def listen(self, workers: Sequence[int]) -> None:
        """Have RQ know of these, and no others, by names as long as it makes them."""
        for model in MODELS:
            listeners = f"rq:workers:{queue_name(model)}"
            await self.server.delete(listeners)
            names = [f"rq:worker:{number:032x}" for number in workers if model in _served(number)]
            await self.server.sadd(listeners, *names)


@asynccontextmanager
async def bench(url: str, *, tenants: int, workers: int) -> AsyncIterator[Bench]:
    """On a server that is emptied for it, and has the scripts. `workers`: at least as many as there are models."""
    server = Redis.from_url(url, decode_responses=True)
    await server.flushall()
    ledger, bells = (
        RedisLedger(url, prefix="benchmark", patience=60, rules=RULES),
        RqBells(Settings(redis_url=SecretStr(url))),
    )
    try:
        await costs(Bench(server, ledger, bells, Line(tenants), len(MODELS)), AT_ONCE)
        yield Bench(server, ledger, bells, Line(tenants), workers)
    finally:
        await ledger.close()
        await bells.close()
        await server.aclose()


def _served(number: int) -> tuple[str, ...]:
    return (*(MODELS[(number + more) % len(MODELS)] for more in range(SERVED)), PREPROCESSING)


async def costs(at: Bench, calls: int = CALLS) -> dict[str, Cost]:
    """By the name of the call. The line is as long afterwards as it was before."""
    told: dict[str, Cost] = {}

    async def measure(name: str, asks: Sequence[Ask]) -> list[object]:
        told[name], answers = await cost_of(at.server, asks)
        return answers

    ledger, some = at.ledger, range(calls)
    attending = await at.attended()
    coming = [at.line.next() for _ in some]
    await measure("submit", [_call(ledger.submit, each) for each in coming])
    ringing = [_call(at.bells.ring, MODELS[number % len(MODELS)]) for number in some]
    await at.listen(range(at.workers + 2 * calls))
    await measure("bell", ringing)  # somebody idles
    await at.listen(range(len(MODELS)))
    await measure("ring", ringing)  # nobody does, and more bells wait than may
    await measure("attend", [attending[number % len(attending)] for number in some])
    await measure("foresee", [_call(ledger.foresee, [each.job_id]) for each in coming])
    await measure("look", [_call(ledger.claim, f"idle-{number}", (PREPROCESSING,), 2) for number in some])
    held = [claim for claims in await measure("claim", claiming(at, calls)) for claim in claims]  # type: ignore
    hands = [held[first : first + HELD] for first in range(0, calls, HELD)]
    await measure("renew", [_renewing(at, hand) for hand in hands])
    await measure("report", [_reporting(at, hand, step) for step in range(REPORTS) for hand in hands])
    told["hear"] = await hearing(at, calls)
    await measure("events", [_call(ledger.events, claim.job_id) for claim in held])
    await measure("finish", [_call(ledger.finish, each.job_id, each.attempt, succeeded(each)) for each in held])
    await measure("get", [_call(ledger.get, claim.tenant, claim.job_id) for claim in held])
    await measure("reap", [ledger.reap for _ in some])
    return told


async def hearing(at: Bench, calls: int, gateways: int = 16) -> Cost:
    """Of each gateway that hears of an event, which all of them do."""
    alone, _ = await cost_of(at.server, [_call(at.server.publish, "news", "0" * 26)] * calls)
    async with AsyncExitStack() as listening:
        for _ in range(gateways):
            gateway = await listening.enter_async_context(at.server.pubsub())
            await gateway.subscribe("news")
        heard, _ = await cost_of(at.server, [_call(at.server.publish, "news", "0" * 26)] * calls)
    return (heard + alone.times(-1)).times(1 / gateways)


def _call(function: Callable[..., Awaitable[object]], *arguments: object) -> Ask:
    return lambda: function(*arguments)


def claiming(at: Bench, calls: int) -> list[Ask]:
    """Claims for one job each, by workers that hold `HELD - 1` at most."""
    claim = at.ledger.claim
    return [_call(claim, f"holder-{number // HELD}", (MODELS[number % len(MODELS)],), 1) for number in range(calls)]


def _renewing(at: Bench, held: Sequence[Claim]) -> Ask:
    return _call(at.ledger.renew, "holder", {claim.job_id: claim.attempt for claim in held})


def _reporting(at: Bench, held: Sequence[Claim], step: int) -> Ask:
    progress = Progress(step=step + 1, steps=REPORTS)
    return _call(at.ledger.report, *((claim.job_id, claim.attempt, progress) for claim in held))
