"""What would a thousand workers ask of one ledger? `python -m benchmarks.fleet [--workers N] [--jobs N] [--seed N]`.

A day of ten million jobs of five models and five thousand tenants, with a busy afternoon and a rush at the top of
every hour, is lived through job by job (`fleets/day.py`), and every call that gateways, workers and couriers make
meanwhile is charged with what it cost in the newest result of `benchmarks.scaling`. The busiest second is then played
on one thread that syncs its file once a round (`fleets/server.py`). Told are the limit that is met first and, one after
another, the ways past it.

A model's line is in the order of arrival: whose job is next is the tenants' affair, and changes no mean. Not counted
are webhooks, sketches, what callers may ask a minute, and what RQ does when a worker that idled answers its bell. The
last line is the figures as JSON.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from benchmarks.fleets.day import Day, lived
from benchmarks.fleets.demand import Fleet
from benchmarks.fleets.limits import Limit, limits, records
from benchmarks.fleets.load import Calls, Rules, busiest, calls, spent, total
from benchmarks.fleets.measured import Measured, newest
from benchmarks.fleets.server import latencies
from benchmarks.ledger.meter import Cost

KEPT_DAYS = 7  # DARKROOM_RESULT_TTL where nothing else is said
PLAYED = 10.0  # seconds
HOUR = 3_600
DAY = 86_400
RULES = Rules()


@dataclass(frozen=True)
class Way:
    """How the ledger is run. `slots`: ledgers that share the models; the busiest of them is told of."""

    name: str
    rules: Rules = RULES
    kept_seconds: float = KEPT_DAYS * DAY
    slots: float = 1.0


def ways(fleet: Fleet) -> Iterator[Way]:
    """One after another, each with all before it; and at first what once was."""
    yield Way("each worker looking and sweeping for itself", Rules(looks=None, sweeps=None))
    yield Way("as it is")
    yield Way("records kept for an hour", kept_seconds=HOUR)
    yield Way("progress once a second", Rules(report=1.0), HOUR)
    yield Way("a ledger for each model", Rules(report=1.0), HOUR, slots=1 / max(fleet.shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=Fleet.workers)
    parser.add_argument("--jobs", type=int, default=Fleet.jobs, help="a day")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    fleet, measured = Fleet(workers=asked.workers, jobs=asked.jobs), newest()
    busy = ", on a busy machine" if measured.busy else ""
    print(f"costs: {measured.name}{busy}", flush=True)
    day = lived(fleet, asked.seed)
    found = [told(fleet, day, way, measured, asked.seed) for way in ways(fleet)]
    figures = {"costs": measured.name, "busy": measured.busy, "fleet": asdict(fleet), "day": of_day(day), "ways": found}
    print(json.dumps({"benchmark": "fleet", "figures": figures}))


def of_day(day: Day) -> dict[str, Any]:
    figures = {
        "jobs": day.jobs,
        "jobs_per_second_at_most": int(day.came.max()),
        "workers_busy_at_most": int(day.busy.max()),
        "waiting_at_most": int(day.waiting.max()),
        "wait_seconds": {f"p{100 * part:g}": round(day.wait(part), 2) for part in (0.5, 0.99, 0.999)},
    }
    print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items()), flush=True)
    return figures


def told(fleet: Fleet, day: Day, way: Way, measured: Measured, seed: int) -> dict[str, Any]:
    asked = calls(fleet, day, way.rules)
    waiting = int(day.waiting.max())
    costs = measured.with_tenants(min(fleet.tenants, waiting // len(fleet.shares)))
    second = busiest(asked, costs)
    parts = {name: cost.times(1 / way.slots) for name, cost in spent(asked, costs, second).items()}
    held = records(measured, day.jobs, way.kept_seconds, waiting) / way.slots
    found = limits(total(parts), held)
    figures = {
        "way": way.name,
        "limits": {limit.name: {**asdict(limit), "growth": round(limit.growth, 2)} for limit in found},
        "first": found[0].name,
        "calls_per_second": round(_calls(asked, second) / way.slots),
        "thread": {name: round(cost.cpu_us / 1e6, 4) for name, cost in _dearest(parts)},
        "claim_ms": _claim_ms(
            {name: float(each[second]) / way.slots for name, each in asked.items()}, costs, measured.fsync_ms, seed
        ),
    }
    _show(way, found, figures)
    return figures


def _calls(asked: Calls, second: int) -> float:
    """Of that second; what gateways hear, nobody asks for."""
    return sum(float(each[second]) for name, each in asked.items() if name != "hear")


def _dearest(parts: dict[str, Cost]) -> list[tuple[str, Cost]]:
    return sorted(parts.items(), key=lambda part: -part[1].cpu_us)


def _claim_ms(rates: dict[str, float], costs: dict[str, Cost], fsync_ms: float, seed: int) -> dict[str, float] | None:
    """None where more comes than the thread can do: then it takes ever longer."""
    told_to_gateways = rates.pop("hear") * costs["hear"].cpu_us
    if told_to_gateways + sum(rate * costs[name].cpu_us for name, rate in rates.items()) >= 1e6:
        return None
    # Gateways are told by the calls that have news, in their own time.
    news = replace(costs["report"], cpu_us=costs["report"].cpu_us + told_to_gateways / rates["report"])
    taken = latencies(rates, costs | {"report": news}, fsync_ms / 1000, PLAYED, seed)["claim"]
    return {f"p{part}": round(1000 * float(np.percentile(taken, part)), 2) for part in (50, 99)}


def _show(way: Way, found: list[Limit], figures: dict[str, Any]) -> None:
    first = found[0]
    print(f"{way.name}: first the {first.name}, at {first.growth:.2f} times this fleet")
    for limit in found:
        print(f"  {limit.name:24}{limit.used:16,.2f} of {limit.most:16,.2f} {limit.unit}")
    parts = ", ".join(f"{name} {100 * part:.1f} %" for name, part in list(figures["thread"].items())[:6])
    print(
        f"  {figures['calls_per_second']:,} calls a second; of the thread: {parts}; a claim: {figures['claim_ms']}",
        flush=True,
    )


if __name__ == "__main__":
    main()
