"""A day of jobs: when they come, of which model, and how long each takes a device. The same for the same seed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.ledger.costs import HELD

DAY = 86_400  # seconds
HOUR = 3_600

Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class Fleet:
    """Who makes pictures for whom.

    `shares`: of all jobs, by model; workers are dealt out alike. `peak`: the busiest hour over the mean of the day,
    `burst`: how many times as much comes for `burst_seconds` at the top of each hour. `device_seconds`: of a job of
    `steps` steps, where jobs share passes at no loss: a worker with `sharing` jobs takes as many times as long for
    each. `spread`: the standard deviation of device seconds over their mean.
    `watched`: the part of all jobs whose events are followed as they come; `looks`: reads of each record after its end.
    """

    workers: int = 1_000
    jobs: int = 10_000_000
    tenants: int = 5_000
    shares: tuple[float, ...] = (0.5, 0.25, 0.12, 0.08, 0.05)
    peak: float = 2.0
    burst: float = 1.5
    burst_seconds: int = 60
    device_seconds: float = 3.0
    spread: float = 0.5
    steps: int = 30
    sharing: int = HELD  # of which costs are known
    gateways: int = 20
    couriers: int = 3
    watched: float = 0.5
    looks: float = 2.0

    def rates(self, model: int) -> Seconds:
        """Jobs of this model expected in each second of the day: one hill, lowest at 4 and highest at 16 o'clock."""
        second = np.arange(DAY)
        hill = 1 + (self.peak - 1) * np.sin(2 * math.pi * (second - 10 * HOUR) / DAY)
        shape = hill * np.where(second % HOUR < self.burst_seconds, self.burst, 1.0)
        return self.jobs * self.shares[model] * shape / shape.sum()

    def workers_of(self, model: int) -> int:
        """Never none; the remainders of a share are the first model's."""
        dealt = [max(1, int(self.workers * share)) for share in self.shares]
        return dealt[model] if model else self.workers - sum(dealt[1:])


def hours(fleet: Fleet, model: int, seed: int) -> Iterator[tuple[Seconds, Seconds]]:
    """Hour by hour, when jobs of a model come (a Poisson process of its rates) and how long each takes (log-normal)."""
    dice = np.random.default_rng((seed, model))
    rates = fleet.rates(model)
    sigma = math.sqrt(math.log(1 + fleet.spread**2))
    for hour in range(DAY // HOUR):
        counts = dice.poisson(rates[hour * HOUR : (hour + 1) * HOUR])
        whole = np.repeat(np.arange(hour * HOUR, (hour + 1) * HOUR, dtype=np.float64), counts)
        arrivals = np.sort(whole + dice.random(whole.size))
        yield arrivals, fleet.device_seconds * dice.lognormal(-(sigma**2) / 2, sigma, whole.size)
