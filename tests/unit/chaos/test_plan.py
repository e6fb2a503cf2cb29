"""The plan of `make chaos` follows from its seed, and strikes as often as was asked."""

import random
from collections import Counter
from typing import Any

from tests.chaos.adversary import Adversary, Quota
from tests.chaos.callers import Crowd


async def _nothing(worker: str) -> list[str]:
    return []


def adversary(seed: int, quota: Quota) -> Adversary:
    nobody: Any = None
    return Adversary(nobody, random.Random(seed), quota, _nothing)


def test_one_seed_makes_one_plan() -> None:
    assert adversary(1, Quota()).plan() == adversary(1, Quota()).plan()
    assert adversary(1, Quota()).plan() != adversary(2, Quota()).plan()


def test_the_plan_has_every_blow_that_was_asked_for() -> None:
    quota = Quota(workers=2_000, gateways=50, redis=51, couriers=52)
    blows = Counter(adversary(1, quota).plan())
    assert (blows["gateway"], blows["redis"], blows["courier"]) == (50, 51, 52)
    assert min(blows[name] for name in ("child", "supervisor", "freeze", "redis_fault", "store_fault")) >= 20
    assert all(hasattr(Adversary, f"_{name}") for name in blows)


async def test_callers_of_one_seed_ask_for_the_same() -> None:
    one, other = (Crowd(list, random.Random(3)) for _ in range(2))
    assert [one._body(str(n)) for n in range(9)] == [other._body(str(n)) for n in range(9)]
    await one.close()
    await other.close()
