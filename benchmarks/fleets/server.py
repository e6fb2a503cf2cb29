"""One thread that answers all: it takes what has come, works it off, syncs its file once, and only then answers.

So a sync is shared by all calls of a round (group commit), and the busier the thread, the more share it: with calls
that take the part `u` of its time, a round with a sync of `f` seconds takes about `f / (1 - u)`.
"""

from collections.abc import Mapping

import numpy as np

from benchmarks.fleets.demand import Seconds
from benchmarks.ledger.meter import Cost

WRITES = 1.0  # bytes that a call appends, from which on its round is synced


def latencies(
    rates: Mapping[str, float], costs: Mapping[str, Cost], fsync: float, seconds: float, seed: int
) -> dict[str, Seconds]:
    """Seconds from asking to the answer of each call, by name, of calls that come at random at these rates a second."""
    dice = np.random.default_rng(seed)
    names = list(rates)
    counts = [dice.poisson(rates[name] * seconds) for name in names]
    kind = np.repeat(np.arange(len(names)), counts)
    at = dice.random(kind.size) * seconds
    order = np.argsort(at)
    at, kind = at[order], kind[order]
    work = np.array([costs[name].cpu_us / 1e6 for name in names])[kind]
    writing = np.array([costs[name].aof >= WRITES for name in names])[kind]
    taken = _rounds(at, np.concatenate(([0.0], np.cumsum(work))), np.concatenate(([0], np.cumsum(writing))), fsync)
    return {name: taken[kind == number] for number, name in enumerate(names)}


def _rounds(at: Seconds, work: Seconds, writes: Seconds, fsync: float) -> Seconds:
    """`work` and `writes` are running totals."""
    taken = np.empty(at.size)
    first, now = 0, 0.0
    while first < at.size:
        now = max(now, float(at[first]))
        last = int(np.searchsorted(at, now, side="right"))
        now += float(work[last] - work[first]) + (fsync if writes[last] > writes[first] else 0.0)
        taken[first:last] = now - at[first:last]
        first = last
    return taken
