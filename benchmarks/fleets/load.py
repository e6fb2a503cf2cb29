"""What a day asks of the ledger, second by second: how many calls of each kind, by the rhythm that workers have."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.fleets.day import Day
from benchmarks.fleets.demand import Fleet, Seconds
from benchmarks.ledger.costs import HELD
from benchmarks.ledger.meter import NOTHING, Cost
from worker.rhythm import Rhythm

Calls = Mapping[str, Seconds]  # a second, in each second of the day

SWEPT_EVERY = 1.0  # seconds, by each courier


@dataclass(frozen=True)
class Rules:
    """How often workers ask. `looks` in vain for each model and for maps, and `sweeps`: at most so many a second by all
    workers together; None where each goes by its own steps and time alone."""

    report: float = Rhythm.report
    looks: float | None = Rhythm.looks
    sweeps: float | None = Rhythm.sweeps


def calls(fleet: Fleet, day: Day, rules: Rules) -> dict[str, Seconds]:
    busy = np.minimum(day.busy, fleet.workers).astype(np.float64)
    steps = fleet.steps / fleet.device_seconds  # of a worker's jobs together, in a second
    reports = busy * min(steps, fleet.sharing / rules.report)
    looks = 2 * busy * min(steps / fleet.sharing, 1 / Rhythm.look)
    sweeps = np.full(busy.size, fleet.workers / Rhythm.reap)
    if rules.looks is not None:
        looks = np.minimum(looks, rules.looks * (len(fleet.shares) + 1))
    if rules.sweeps is not None:
        sweeps = np.minimum(sweeps, rules.sweeps)
    sweeps = sweeps + fleet.couriers / SWEPT_EVERY
    full = day.waiting > 0
    events = reports + day.came + day.began + day.ended
    return {
        "submit": day.came.astype(np.float64),
        "bell": np.where(full, 0, day.came),
        "ring": np.where(full, day.came + sweeps * len(fleet.shares), 0),
        "claim": day.began.astype(np.float64),
        "look": looks,
        "renew": busy / Rhythm.renew,
        "report": reports / HELD,
        "finish": day.ended.astype(np.float64),
        "attend": np.full(busy.size, fleet.workers / Rhythm.attend),
        "reap": sweeps,
        "hear": events * fleet.gateways,
        "events": events * fleet.watched,
        "foresee": day.came * (1 - fleet.watched),
        "get": fleet.looks * day.ended,
    }


def spent(asked: Calls, costs: Mapping[str, Cost], second: int) -> dict[str, Cost]:
    """What each kind of call costs the ledger in that second."""
    return {name: costs[name].times(float(each[second])) for name, each in asked.items()}


def busiest(asked: Calls, costs: Mapping[str, Cost]) -> int:
    """The second that takes most of the server's thread."""
    return int(np.argmax(sum(costs[name].cpu_us * each for name, each in asked.items())))


def total(parts: Mapping[str, Cost]) -> Cost:
    return sum(parts.values(), NOTHING)
