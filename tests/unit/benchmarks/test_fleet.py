"""The simulated fleet: nothing is lost in it, and where the answer is known it is that."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fleet as benchmark
from benchmarks.fleets.day import Day, Servers, lived
from benchmarks.fleets.demand import DAY, Fleet, hours
from benchmarks.fleets.limits import limits, records
from benchmarks.fleets.load import Rules, busiest, calls, spent, total
from benchmarks.fleets.measured import Measured, newest
from benchmarks.fleets.server import latencies
from benchmarks.ledger.meter import Cost

SMALL = Fleet(workers=20, jobs=100_000, tenants=10)
CALLS = (
    *("submit", "bell", "ring", "claim", "look", "renew", "report"),
    *("finish", "attend", "reap", "hear", "events", "foresee", "get"),
)
EACH = Cost(cpu_us=100, commands=1, received=100, sent=100, aof=100)
COSTS = dict.fromkeys(CALLS, EACH)


@pytest.fixture(scope="module")
def day() -> Day:
    return lived(SMALL, seed=0)


def erlang_c(servers: int, load: float) -> float:
    """The chance to wait in M/M/c (Erlang 1917), `load` in erlangs."""
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return servers * blocked / (servers - load * (1 - blocked))


@pytest.mark.parametrize(("servers", "use"), [(1, 0.5), (3, 0.8), (20, 0.9)])
def test_waits_are_those_of_erlang(servers: int, use: float) -> None:
    dice = np.random.default_rng(0)
    jobs, rate = 200_000, servers * use  # of one second each
    arrivals = np.cumsum(dice.exponential(1 / rate, jobs))
    waits = Servers(servers).starts(arrivals, dice.exponential(1.0, jobs)) - arrivals
    chance = erlang_c(servers, rate)
    assert np.mean(waits > 1e-12) == pytest.approx(chance, rel=0.03)
    assert waits.mean() == pytest.approx(chance / (servers - rate), rel=0.06)


def test_it_is_served_on_from_one_call_to_the_next() -> None:
    dice = np.random.default_rng(0)
    arrivals, services = np.cumsum(dice.exponential(0.2, 1_000)), dice.exponential(0.9, 1_000)
    servers = Servers(5)
    parts = [servers.starts(arrivals[part], services[part]) for part in (slice(0, 400), slice(400, None))]
    assert np.array_equal(np.concatenate(parts), Servers(5).starts(arrivals, services))


def test_every_job_comes_begins_and_ends_once(day: Day) -> None:
    assert day.jobs == day.began.sum() == day.ended.sum() == day.waits.sum()
    assert day.jobs == pytest.approx(SMALL.jobs, rel=0.01)
    assert day.waiting.min() == day.busy.min() == 0
    assert day.waiting[-1] == day.busy[-1] == 0


def test_no_more_are_busy_than_there_are(day: Day) -> None:
    # A worker that ends a job and begins another within a second may be counted twice in it.
    assert day.busy.max() <= SMALL.workers * 2
    assert day.busy.mean() * len(day.busy) == pytest.approx(SMALL.jobs * SMALL.device_seconds, rel=0.02)


def test_the_same_seed_is_the_same_day_and_another_is_not(day: Day) -> None:
    assert np.array_equal(day.came, lived(SMALL, seed=0).came)
    assert not np.array_equal(day.came, lived(SMALL, seed=1).came)


def test_the_busiest_hour_is_as_busy_as_was_asked(day: Day) -> None:
    by_hour = day.came[:DAY].reshape(24, -1).sum(axis=1)
    assert by_hour.argmax() in (15, 16, 17)
    assert by_hour.max() / by_hour.mean() == pytest.approx(SMALL.peak, rel=0.05)


def test_jobs_take_as_long_as_was_asked_and_come_in_order() -> None:
    found = list(hours(SMALL, model=0, seed=0))
    arrivals, services = (np.concatenate(each) for each in zip(*found, strict=True))
    assert np.all(np.diff(arrivals) >= 0)
    assert services.mean() == pytest.approx(SMALL.device_seconds, rel=0.02)
    assert services.std() == pytest.approx(SMALL.device_seconds * SMALL.spread, rel=0.05)


def test_workers_are_dealt_out_whole() -> None:
    odd = replace(SMALL, workers=17, shares=(0.5, 0.3, 0.19, 0.01))
    dealt = [odd.workers_of(model) for model in range(4)]
    assert sum(dealt) == 17
    assert min(dealt) == 1


def test_too_few_workers_are_told() -> None:
    with pytest.raises(ValueError, match="too few"):
        lived(replace(SMALL, workers=5), seed=0)


def test_every_job_is_submitted_claimed_and_ended_in_the_ledger(day: Day) -> None:
    asked = calls(SMALL, day, Rules())
    assert asked.keys() == set(CALLS)
    assert asked["submit"].sum() == asked["claim"].sum() == asked["finish"].sum() == day.jobs
    assert asked["bell"].sum() + asked["ring"].sum() >= day.jobs


def test_slower_progress_and_shared_looks_are_fewer_calls(day: Day) -> None:
    alone = Rules(looks=None, sweeps=None)
    often, seldom = (calls(SMALL, day, rules) for rules in (alone, Rules(report=1.0, looks=3, sweeps=1)))
    assert seldom["report"].sum() < often["report"].sum() / 2
    assert seldom["look"].max() <= 3 * (len(SMALL.shares) + 1) < often["look"].max()
    assert seldom["reap"].max() <= 1 + SMALL.couriers
    assert seldom["hear"].sum() < often["hear"].sum()


def test_a_second_costs_what_its_calls_do(day: Day) -> None:
    asked = calls(SMALL, day, Rules())
    second = busiest(asked, COSTS)
    many = sum(float(each[second]) for each in asked.values())
    assert total(spent(asked, COSTS, second)).cpu_us == pytest.approx(many * EACH.cpu_us, rel=1e-6)
    assert many >= max(sum(float(each[at]) for each in asked.values()) for at in range(0, DAY, 60))


def test_a_thread_of_one_call_at_a_time_is_an_m_d_1() -> None:
    """Pollaczek and Khinchine: at random, 0.1 ms each, half of the time. A round answers all at its end, which is one
    call's time for most."""
    rate = {"look": 5_000.0}
    costs = {"look": replace(EACH, aof=0)}
    taken = latencies(rate, costs, fsync=0.01, seconds=5, seed=0)["look"]
    assert taken.size == pytest.approx(25_000, rel=0.02)
    known = 1e-4 * (1 + 0.5 / (2 * 0.5))
    assert known <= taken.mean() < 1.5 * known


def test_a_sync_is_shared_by_all_that_wait_for_it() -> None:
    """One a call would take 25 times as long as there is."""
    taken = latencies({"report": 5_000.0}, COSTS, fsync=0.005, seconds=3, seed=0)["report"]
    whole_round = 0.005 / (1 - 0.5)
    assert whole_round < np.percentile(taken, 50) < 2 * whole_round
    assert taken.max() < 5 * whole_round


def test_what_is_full_first_comes_first() -> None:
    second = Cost(cpu_us=350_000, commands=1, received=125e6, sent=1_000, aof=1_000)
    found = limits(second, held=128e9)
    assert [limit.name for limit in found][:3] == ["memory", "thread of Redis", "network, into Redis"]
    assert [limit.growth for limit in found][:3] == pytest.approx([0.5, 2, 10])
    assert math.isinf(limits(replace(second, aof=0), held=1)[-1].growth)


def measured(folder: Path, name: str, cpu_us: float) -> None:
    costs = ({call: vars(replace(EACH, cpu_us=each)) for call in CALLS} for each in (1, cpu_us, 9 * cpu_us))
    figures = {
        "machine": {"busy": False},
        "ledger": dict(zip(("few", "many", "tenants"), costs, strict=True)),
        "fsync_ms": 1.0,
        "bytes": {"queued": 6_000, "ended": 9_000},
    }
    (folder / name).write_text(f"words\n{json.dumps({'benchmark': 'scaling', 'figures': figures})}\n")


def test_the_newest_result_is_read_and_the_dearest_of_its_conditions(tmp_path: Path) -> None:
    measured(tmp_path, "2026-11-29-scaling.txt", 10)
    measured(tmp_path, "2026-11-30-scaling.txt", 20)
    found = newest(tmp_path)
    assert (found.name, found.dearest["claim"].cpu_us) == ("2026-11-30-scaling.txt", 20)
    assert records(found, jobs=86_400, kept_seconds=10, waiting=1) == 10 * 9_000 + 6_000


@pytest.mark.parametrize(("tenants", "cpu_us"), [(0, 10), (50, 50), (100, 90), (5_000, 90)])
def test_a_submission_is_the_dearer_the_more_tenants_wait_until_enough_are_looked_at(
    tmp_path: Path, tenants: int, cpu_us: float
) -> None:
    measured(tmp_path, "2026-11-30-scaling.txt", 10)
    costs = newest(tmp_path).with_tenants(tenants)
    assert costs["submit"].cpu_us == pytest.approx(cpu_us)
    assert costs["claim"].cpu_us == 10


def test_without_a_result_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        newest(tmp_path)


def test_the_kept_result_is_one_that_can_be_read() -> None:
    found: Measured = newest()
    assert set(CALLS) <= found.dearest.keys()
    assert min(found.dearest[call].cpu_us for call in ("submit", "claim", "report", "finish")) > 0


def test_each_way_takes_less_than_those_before_it(day: Day, tmp_path: Path) -> None:
    measured(tmp_path, "2026-11-30-scaling.txt", 50)
    costs = newest(tmp_path)
    found = [benchmark.told(SMALL, day, way, costs, 0) for way in benchmark.ways(SMALL)]
    threads = [sum(each["thread"].values()) for each in found]
    assert threads == sorted(threads, reverse=True)
    assert threads[-1] < threads[1] / 2
    assert found[1]["limits"]["memory"]["used"] > 100 * found[2]["limits"]["memory"]["used"]
    for each in found:
        assert each["first"] == min(each["limits"], key=lambda name: each["limits"][name]["growth"])
        assert 0 < each["claim_ms"]["p50"] <= each["claim_ms"]["p99"]
