"""The benchmark of scaling counts what it says, on a server of its own."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from benchmarks import scaling
from benchmarks.ledger import crowd
from benchmarks.ledger.costs import bench
from benchmarks.ledger.gateways import AT_ONCE, request_ms
from benchmarks.ledger.line import Line
from benchmarks.ledger.machine import machine, processors
from benchmarks.ledger.meter import NOTHING, Cost, Reading, cost_of, together
from benchmarks.ledger.processes import ALWAYS_WAITING, MODEL, cpu_seconds, never_short
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.server import LocalRedis


def test_costs_are_of_one_call() -> None:
    before = Reading(cpu_us=100, commands=10, received=1_000, sent=0, aof=50)
    after = Reading(cpu_us=300, commands=30, received=1_400, sent=800, aof=50)
    assert Cost.between(before, after, 4) == Cost(cpu_us=50, commands=5, received=100, sent=200, aof=0)


def test_costs_add_up() -> None:
    one = Cost(1, 2, 3, 4, 5)
    assert one.times(2) + NOTHING == Cost(2, 4, 6, 8, 10)


def test_all_have_as_much_or_one_has_all() -> None:
    assert crowd.jain({"ann": 3, "bob": 3, "cid": 3}) == pytest.approx(1)
    assert crowd.jain({"ann": 9, "bob": 0, "cid": 0}) == pytest.approx(1 / 3)


def test_quantiles_are_of_what_was_measured() -> None:
    assert crowd.quantiles(list(range(100, 0, -1))) == {"p50": 51, "p99": 100}


async def test_the_first_tenant_floods_and_the_others_send_as_many_each() -> None:
    ledger = MemoryLedger()
    await Line(tenants=5).fill(ledger, 80)
    assert [len((await ledger.jobs(f"tenant-{n}", limit=99)).jobs) for n in range(5)] == [40, 10, 10, 10, 10]


def test_the_line_is_the_same_on_every_run() -> None:
    def asked(line: Line) -> list[object]:
        return [(each.tenant, each.plan) for each in (line.next() for _ in range(50))]

    assert asked(Line(tenants=5)) == asked(Line(tenants=5))


async def test_calls_are_answered_in_order_and_so_many_at_a_time() -> None:
    under_way, most = 0, 0

    async def ask(number: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return number

    assert await together([lambda n=n: ask(n) for n in range(10)], at_once=4) == list(range(10))
    assert most == 4


async def test_jobs_come_as_others_leave() -> None:
    ledger = MemoryLedger()
    async with never_short(ledger):
        while (await ledger.waiting()).get(MODEL, 0) < ALWAYS_WAITING:
            await asyncio.sleep(0.001)
        assert len(await ledger.claim("worker", [MODEL], 10)) == 10
        while (await ledger.waiting())[MODEL] < ALWAYS_WAITING:
            await asyncio.sleep(0.001)
    assert (await ledger.waiting())[MODEL] == ALWAYS_WAITING


def test_seconds_of_a_process_are_the_kernels() -> None:
    before = cpu_seconds(os.getpid())
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert before + 0.03 < cpu_seconds(os.getpid()) < time.process_time() + 0.05
    assert cpu_seconds(2**22 + 1) == 0


@pytest.mark.parametrize(("worked", "busy"), [(400.0, True), (10.0, False)])
def test_a_machine_that_does_other_work_is_called_busy(
    worked: float, busy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([(1000.0, 5000.0), (1000.0 + worked, 5400.0)])
    monkeypatch.setattr("benchmarks.ledger.machine.processors", lambda: next(ticks))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert machine()["busy"] is busy


def test_processors_count_what_they_do() -> None:
    busy_before, before = processors()
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    busy, now = processors()
    assert busy > busy_before
    assert now > before


@pytest.mark.slow
async def test_what_a_call_sends_is_what_the_server_got(tmp_path: Path) -> None:
    with LocalRedis(tmp_path) as server:
        async with bench(server.url, tenants=3, workers=4) as at:
            cost, answers = await cost_of(at.server, [lambda: at.server.set("name", "x" * 1_000)] * 50)
    assert answers == [True] * 50
    assert 1_000 < cost.received < 1_200
    assert 1_000 < cost.aof < 1_200
    assert cost.cpu_us > 0


@pytest.mark.slow
async def test_figures_of_a_small_ledger_are_whole(tmp_path: Path) -> None:
    small = scaling.Extent(few=20, many=340, calls=16, crowd=20, window=1)
    with LocalRedis(tmp_path) as server:
        figures = await scaling.of_the_ledger(server.url, small)
    assert figures["ledger"].keys() == {"few", "many", "workers", "tenants"}
    for costs in figures["ledger"].values():
        # A job's place, record and event are ten commands and more, each written to the file.
        assert costs["submit"]["commands"] > 10
        assert costs["submit"]["aof"] > costs["renew"]["aof"] > costs["look"]["aof"] == 0
    assert figures["fairness"]["jain"] > 0.8
    assert 0 < figures["bytes"]["queued"] < 20_000
    assert figures["claim_ms"]["many"]["p99"] >= figures["claim_ms"]["many"]["p50"] > 0


@pytest.mark.slow
async def test_a_request_takes_a_gateway_time_and_leaves_no_process(tmp_path: Path) -> None:
    with LocalRedis(tmp_path / "redis") as server:
        told = await request_ms(server.url, tmp_path / "home", 64)
        async with Redis.from_url(server.url) as client:
            assert await client.zcard("{darkroom}:since:tiny") == 64 + AT_ONCE
    assert 0.1 < told["asked"] < 100
    assert 0.1 < told["looked_at"] < 100
