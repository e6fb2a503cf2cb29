"""Ten thousand jobs in line: how long a claim takes beside them, who is served, what they weigh in memory."""

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from benchmarks.ledger.costs import Bench, claiming
from benchmarks.ledger.line import MODELS, succeeded
from benchmarks.ledger.meter import Ask

WRITES = 300
WORKERS = 8


def quantiles(milliseconds: Sequence[float]) -> dict[str, float]:
    ranked = sorted(milliseconds)
    return {"p50": round(ranked[len(ranked) // 2], 2), "p99": round(ranked[len(ranked) * 99 // 100], 2)}


async def milliseconds(asks: Sequence[Ask]) -> tuple[list[float], list[Any]]:
    """How long each takes by the wall, one after another; and what they answered."""
    taken, answers = [], []
    for ask in asks:
        began = time.perf_counter()
        answers.append(await ask())
        taken.append(1000 * (time.perf_counter() - began))
    return taken, answers


async def claim_ms(at: Bench, calls: int) -> dict[str, float]:
    """Of a claim for one job."""
    taken, answers = await milliseconds(claiming(at, calls))
    for claim in (claim for claims in answers for claim in claims):
        await at.ledger.finish(claim.job_id, claim.attempt, succeeded(claim))
    return quantiles(taken)


async def fsync_ms(at: Bench, calls: int = WRITES) -> float:
    """How much longer the median of a small write takes where the server syncs its file before it answers."""
    asks: list[Ask] = [lambda: at.ledger.attend("worker-0", MODELS[:1])] * calls
    told = {}
    for mode in ("no", "always"):
        await at.server.config_set("appendfsync", mode)
        told[mode] = quantiles((await milliseconds(asks))[0])["p50"]
    return round(max(0.0, told["always"] - told["no"]), 3)


async def used_memory(server: Redis) -> int:
    told: int = (await server.info("memory"))["used_memory_dataset"]
    return told


async def shares(at: Bench, jobs: int) -> Counter[str]:
    """Device seconds that each tenant got of the first model's next jobs. Jobs take from half to twice what they were
    expected to."""
    dice, got = random.Random(0), Counter[str]()
    holding = []
    for number in range(jobs):
        holding += await at.ledger.claim(f"serving-{number % WORKERS}", MODELS[:1], 1)
        if len(holding) >= WORKERS:
            claim = holding.pop(0)
            end = succeeded(claim)
            seconds = end.device_seconds * dice.choice((0.5, 1.0, 2.0))
            await at.ledger.finish(claim.job_id, claim.attempt, end.model_copy(update={"device_seconds": seconds}))
            got[claim.tenant] += seconds  # type: ignore[assignment]
    return got


def jain(shares: Mapping[str, float]) -> float:
    """Jain's index of fairness (Jain, Chiu, Hawe 1984): 1 where all have as much, 1/n where one has all."""
    of_all = list(shares.values())
    return sum(of_all) ** 2 / (len(of_all) * sum(share**2 for share in of_all))
