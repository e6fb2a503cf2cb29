"""From latencies to the few numbers that say how a service felt."""

from collections.abc import Sequence
from math import ceil

PATIENCE = 3.0  # an answer within this many times the request's time alone is a good one
GOOD_SHARE = 0.95


def p95(latencies: Sequence[float]) -> float:
    """The least that 95 % are not above."""
    return sorted(latencies)[ceil(0.95 * len(latencies)) - 1]


def good_share(latencies: Sequence[float], alone: Sequence[float]) -> float:
    """Share of requests that took at most `PATIENCE` times as long as `alone`."""
    pairs = zip(latencies, alone, strict=True)
    return sum(latency <= PATIENCE * solo for latency, solo in pairs) / len(alone)


def goodput(shares: Sequence[tuple[float, float]]) -> float:
    """The load at which `GOOD_SHARE` of the requests are still answered well, by (load, good share) of several loads.

    Between two loads the share is taken to fall evenly. Where it never falls so low the highest load is answered, which
    is then too little; where it always is, the lowest, shrunk by as much as its share is too low.
    """
    loads = sorted(shares)
    below, share_below = loads[0]
    if share_below < GOOD_SHARE:
        return below * share_below / GOOD_SHARE
    for load, share in loads[1:]:
        if share < GOOD_SHARE:
            return below + (load - below) * (share_below - GOOD_SHARE) / (share_below - share)
        below, share_below = load, share
    return below
