"""The courier's rounds, over the ledger in memory."""

import asyncio
import socket
import threading
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

from darkroom.contract.generation import TextToImage
from darkroom.contract.job import JobState
from darkroom.errors import ConfigurationError, LedgerUnavailable, StoreUnavailable
from darkroom.ledger.protocol import LedgerHealth, Submission
from darkroom.planner import plan
from darkroom.services import Services, run_courier
from darkroom.services.courier import courier_round, delivering
from darkroom.services.leftovers import LeftoverSweep
from tests.fakes import fake_services


class NotedBells:
    """Bells that remember who was rung for."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    async def ring(self, model: str) -> None:
        self.rung.append(model)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def submit(services: Services, job_id: str = "01ARZ3NDEKTSV4RRFFQ69G5FAV", deadline: float | None = None) -> str:
    settled = plan(TextToImage(prompt="a red circle"), services.catalog, now=0.0)
    settled = settled.model_copy(update={"deadline_at": deadline})
    submission = Submission(job_id=job_id, tenant="local", plan=settled, idempotency_key=None, body_hash="x")
    return (await services.ledger.submit(submission)).job.id


async def one_round(services: Services) -> None:
    await courier_round(services, LeftoverSweep(services.ledger, services.store))


async def test_a_forgotten_job_gets_its_bell() -> None:
    bells = NotedBells()
    services = replace(fake_services(), bells=bells)
    await one_round(services)
    assert bells.rung == []
    await submit(services)
    await one_round(services)
    assert bells.rung == ["tiny"]


async def test_a_dead_workers_job_goes_back_into_line() -> None:
    clock = Clock()
    services = fake_services(clock)
    job_id = await submit(services)
    assert await services.ledger.claim("worker", ["tiny"], 1)
    clock.now += services.settings.lease_seconds + 1
    await one_round(services)
    assert (await services.ledger.get("local", job_id)).state is JobState.QUEUED


async def test_a_job_whose_last_worker_died_is_counted_by_who_gives_it_up() -> None:
    clock = Clock()
    services = fake_services(clock, max_attempts=1)
    await submit(services)
    assert await services.ledger.claim("worker", ["tiny"], 1)
    clock.now += services.settings.lease_seconds + 1
    await one_round(services)
    await one_round(services)
    counted = {"model": "tiny", "state": "failed", "code": "attempts_exhausted"}
    assert services.metrics.registry.get_sample_value("darkroom_jobs_finished_total", counted) == 1


async def test_jobs_that_nobody_began_are_counted_when_they_end() -> None:
    """Canceled by a gateway, or expired under whoever claims: neither shows it."""
    clock = Clock()
    services = fake_services(clock)
    counted = {name: {"model": "tiny", "state": name, "code": ""} for name in ("canceled", "expired")}

    def jobs(state: str) -> float | None:
        return services.metrics.registry.get_sample_value("darkroom_jobs_finished_total", counted[state])

    canceled = await submit(services)
    await submit(services, "01ARZ3NDEKTSV4RRFFQ69G5FAW", deadline=clock.now + 5)
    await one_round(services)
    assert (jobs("canceled"), jobs("expired")) == (0, 0), "what begins at 1 was never seen to grow"
    await services.ledger.cancel("local", canceled)
    clock.now += 5
    assert await services.ledger.claim("worker", ["tiny"], 2) == []
    await one_round(services)
    await one_round(services)
    assert (jobs("canceled"), jobs("expired")) == (1, 1)


async def test_a_courier_that_shows_no_counts_leaves_ends_to_others() -> None:
    services = fake_services()
    services.metrics.shown = False
    await services.ledger.cancel("local", await submit(services))
    await one_round(services)
    assert [ended.jobs for ended in (await services.ledger.reap()).untold] == [1]


async def test_a_ledger_that_is_away_for_a_while_does_not_end_the_courier(monkeypatch: pytest.MonkeyPatch) -> None:
    services, stop, rounds = fake_services(), asyncio.Event(), 0
    reap = services.ledger.reap

    async def sometimes(**options: Any) -> Any:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise LedgerUnavailable("away")
        stop.set()
        return await reap(**options)

    monkeypatch.setattr(services.ledger, "reap", sometimes)
    await asyncio.wait_for(run_courier(services, stop, every=0.001), 5)
    assert rounds == 3


async def test_a_store_that_is_away_keeps_no_courier_from_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    services, stop, reap = fake_services(), asyncio.Event(), fake_services().ledger.reap

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("away")

    async def reaped(**options: Any) -> Any:
        stop.set()
        return await reap(**options)

    monkeypatch.setattr(services.store, "keys", away)
    monkeypatch.setattr(services.ledger, "reap", reaped)
    with capture_logs() as logs:
        await asyncio.wait_for(run_courier(services, stop, every=0.001), 5)
    (said,) = [line for line in logs if line["event"] == "courier.waits"]
    assert said["reason"].startswith("DARKROOM_STORE_FOLDER: away")


async def test_no_courier_works_on_a_ledger_that_may_evict(monkeypatch: pytest.MonkeyPatch) -> None:
    services = fake_services()

    async def check() -> LedgerHealth:
        return LedgerHealth(problems=("it evicts",), warnings=())

    monkeypatch.setattr(services.ledger, "check", check)
    with pytest.raises(ConfigurationError, match="DARKROOM_REDIS_URL: it evicts"):
        await run_courier(services, asyncio.Event())


@pytest.mark.parametrize(("part", "call"), [("ledger", "reap"), ("deliveries", "take")])
async def test_what_goes_wrong_in_one_loop_does_not_end_the_courier(
    part: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that stumbles over one damaged record stumbles again after every restart."""
    services, stop = fake_services(), asyncio.Event()

    async def stumbles(*args: Any, **options: Any) -> Any:
        stop.set()
        raise ResponseError("user_script:1: attempt to index a nil value")

    monkeypatch.setattr(services.ledger if part == "ledger" else services.ledger.deliveries, call, stumbles)
    with capture_logs() as lines:
        await asyncio.wait_for(run_courier(services, stop, every=0.001), 5)
    (told,) = [line for line in lines if line["log_level"] == "error"]
    assert (told["event"], told["error"]) == (
        {"reap": "round.failed", "take": "deliveries.untaken"}[call],
        "ResponseError",
    )


async def test_the_courier_stops_at_once_when_told() -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(run_courier(fake_services(), stop, every=3600))
    await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 10)


async def test_names_that_hang_leave_other_tenants_look_ups_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more than one tenant may have under way: look-ups that were given up go on for a while."""
    leave = threading.Event()

    def look_up(host: str, *args: Any, **options: Any) -> list[Any]:
        if host.endswith("hangs.test"):
            leave.wait(10)
        return [(0, 0, 0, "", ("8.8.8.8", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    courier = delivering(fake_services())
    theirs, others = (courier.sender.guard.on_behalf_of(tenant) for tenant in ("alice", "bob"))
    many = 10 * courier.pace.per_tenant
    hanging = [asyncio.create_task(theirs.vetted(f"{index}.hangs.test", 443)) for index in range(many)]
    try:
        await asyncio.sleep(0)
        assert await asyncio.wait_for(others.vetted("hooks.test", 443), 5) == ("8.8.8.8",)
    finally:
        leave.set()
        await asyncio.gather(*hanging)


async def test_the_courier_ends_records_that_are_due() -> None:
    services = fake_services(record_ttl=86400, result_ttl=3600)
    await services.store.put("provenance/expiring/2025-01-01/000000000001.m", b"", media_type="text/plain")
    stop = asyncio.Event()
    running = asyncio.create_task(run_courier(services, stop, every=0.001))
    async with asyncio.timeout(5):
        while await services.store.keys("provenance"):
            await asyncio.sleep(0.001)
    stop.set()
    await running
