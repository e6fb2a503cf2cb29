"""The day, job by job: who waits, for how long, and how many are where in each second."""

from dataclasses import dataclass
from heapq import heapify, heapreplace

import numpy as np
from numpy.typing import NDArray

from benchmarks.fleets.demand import DAY, Fleet, Seconds, hours

AFTER = 2 * 3_600  # seconds in which what came late may end
BINS = np.concatenate(([0.0], np.geomspace(0.001, DAY, 200)))  # of waits

Counts = NDArray[np.int64]


class Servers:
    """So many alike, who serve in the order of arrival (the recursion of Kiefer and Wolfowitz)."""

    def __init__(self, servers: int) -> None:
        self._free_at = [0.0] * servers
        heapify(self._free_at)

    def starts(self, arrivals: Seconds, services: Seconds) -> Seconds:
        """When each begins to be served. Arrivals in order, also from one call to the next."""
        free_at, starts = self._free_at, []
        for at, seconds in zip(arrivals.tolist(), services.tolist(), strict=True):
            free = free_at[0]
            start = at if at > free else free
            heapreplace(free_at, start + seconds)
            starts.append(start)
        return np.array(starts)


@dataclass
class Day:
    """In each second: jobs that came, began and ended. `waits` counts jobs by `BINS`."""

    came: Counts
    began: Counts
    ended: Counts
    waits: Counts
    waited: float = 0.0

    @classmethod
    def empty(cls) -> "Day":
        return cls(*(np.zeros(DAY + AFTER, dtype=np.int64) for _ in range(3)), np.zeros(len(BINS), dtype=np.int64))

    @property
    def waiting(self) -> Counts:
        return np.cumsum(self.came - self.began)

    @property
    def busy(self) -> Counts:
        """Workers' worth of jobs that are served."""
        return np.cumsum(self.began - self.ended)

    @property
    def jobs(self) -> int:
        return int(self.came.sum())

    def wait(self, quantile: float) -> float:
        """Seconds that this part of all jobs waited at most, to within 10 %."""
        ranked = np.cumsum(self.waits)
        return float(BINS[np.searchsorted(ranked, quantile * ranked[-1])])

    def add(self, arrivals: Seconds, starts: Seconds, services: Seconds) -> None:
        for seconds, at in ((self.came, arrivals), (self.began, starts), (self.ended, starts + services)):
            counted = np.bincount(at.astype(np.int64), minlength=seconds.size)
            if counted.size > seconds.size:
                raise ValueError("jobs are still under way long after the day: so many workers are too few")
            seconds += counted
        waits = starts - arrivals
        self.waits += np.bincount(np.searchsorted(BINS, waits), minlength=len(BINS))[: len(BINS)]
        self.waited += float(waits.sum())


def lived(fleet: Fleet, seed: int) -> Day:
    """Raises: ValueError where the workers cannot keep up."""
    day = Day.empty()
    for model in range(len(fleet.shares)):
        servers = Servers(fleet.workers_of(model))
        for arrivals, services in hours(fleet, model, seed):
            day.add(arrivals, servers.starts(arrivals, services), services)
    return day
