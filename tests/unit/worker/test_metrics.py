"""What a worker measures, and where it shows it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from darkroom.contract.job import Job
from darkroom.errors import LedgerUnavailable, NanOutput
from darkroom.ledger.protocol import Outcome
from darkroom.ledger.server import free_port
from darkroom.metrics import Metrics
from darkroom.services.exposition import expose
from darkroom.settings import Settings
from tests.unit.worker.shop import Shop
from tests.until import until


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"darkroom_{name}", labels)


async def test_a_job_that_ends_well_is_measured_from_its_claim_to_its_end(shop: Shop) -> None:
    job_id = await shop.submit(seeds=(7, 8))
    await until(lambda: job_id in shop.engine.works)
    shop.engine.finish(job_id, device_seconds=1.5)
    await shop.ended(job_id)
    assert value(shop.metrics, "queue_wait_seconds_count", model="tiny", priority="interactive") == 1
    assert value(shop.metrics, "jobs_finished_total", model="tiny", state="succeeded", code="") == 1
    assert value(shop.metrics, "device_seconds_total", tenant="ann", model="tiny", state="succeeded") == 1.5
    assert value(shop.metrics, "finish_duration_seconds_count", format="png") == 2


async def test_a_failure_is_counted_by_its_code(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.engine.fail(job_id, NanOutput("not a number"))
    await shop.ended(job_id)
    assert value(shop.metrics, "jobs_finished_total", model="tiny", state="failed", code="nan_output") == 1


def seconds_by_state(metrics: Metrics) -> dict[str, float]:
    """What tenants have used, by what became of the attempts."""
    (family,) = (found for found in metrics.registry.collect() if found.name == "darkroom_device_seconds")
    return {s.labels["state"]: s.value for s in family.samples if s.name == "darkroom_device_seconds_total"}


async def test_what_a_failure_has_cost_is_counted(shop: Shop) -> None:
    job_id = await shop.generating()
    shop.engine.fail(job_id, NanOutput("not a number"), device_seconds=2.0)
    await shop.ended(job_id)
    await until(lambda: not len(shop.hand))
    assert seconds_by_state(shop.metrics) == {"failed": 2.0}


async def test_what_a_canceled_job_has_cost_is_counted_when_its_engine_lets_go(shop: Shop) -> None:
    shop.engine.obedient = False
    job_id = await shop.generating()
    await shop.ledger.cancel("ann", job_id)
    await until(lambda: shop.engine.canceled == [job_id])
    assert seconds_by_state(shop.metrics) == {}
    shop.engine.let_go(job_id, device_seconds=0.75)
    await until(lambda: not len(shop.hand))
    assert seconds_by_state(shop.metrics) == {"canceled": 0.75}
    counted = {"model": "tiny", "state": "canceled", "code": ""}
    await until(lambda: value(shop.metrics, "jobs_finished_total", **counted) == 1)


async def test_a_worker_that_shows_no_counts_leaves_ends_to_others(shop: Shop) -> None:
    shop.metrics.shown = False
    job_id = await shop.generating()
    await shop.ledger.cancel("ann", job_id)
    await until(lambda: not len(shop.hand))
    swept = shop.ledger.sweeps
    await until(lambda: shop.ledger.sweeps > swept + 1)
    assert [ended.jobs for ended in (await shop.ledger.reap()).untold] == [1]


async def test_a_job_that_is_canceled_while_its_pictures_are_stored_has_cost_all_of_it(shop: Shop) -> None:
    shop.store.away = True
    job_id = await shop.generating()
    shop.engine.finish(job_id, device_seconds=1.5)
    await shop.ledger.cancel("ann", job_id)
    await until(lambda: not len(shop.hand))
    assert seconds_by_state(shop.metrics) == {"canceled": 1.5}


async def test_what_was_canceled_before_its_last_word_came_is_counted_as_canceled(shop: Shop) -> None:
    job_id = await shop.generating()
    await shop.ledger.cancel("ann", job_id)
    shop.engine.finish(job_id, device_seconds=1.5)
    await until(lambda: not len(shop.hand))
    assert seconds_by_state(shop.metrics) == {"canceled": 1.5}


async def test_an_end_is_counted_once_where_the_ledgers_answer_was_lost(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, answers = shop.ledger.finish, 0

    async def heard_the_second_time(job_id: str, attempt: int, outcome: Outcome) -> Job:
        nonlocal answers
        job = await finish(job_id, attempt, outcome)
        answers += 1
        if answers == 1:
            raise LedgerUnavailable("the connection was lost")
        return job

    monkeypatch.setattr(shop.ledger, "finish", heard_the_second_time)
    job_id = await shop.generating()
    shop.engine.finish(job_id, device_seconds=1.5)
    await until(lambda: not len(shop.hand))
    assert answers == 2
    assert value(shop.metrics, "jobs_finished_total", model="tiny", state="succeeded", code="") == 1
    assert seconds_by_state(shop.metrics) == {"succeeded": 1.5}


async def test_what_another_attempt_makes_again_is_counted_apart(shop: Shop) -> None:
    job_id = await shop.generating()
    (held,) = shop.hand
    await shop.hand.hand_back(held)  # the engine says 0.75 s
    await until(lambda: job_id in shop.engine.works)
    shop.engine.finish(job_id, device_seconds=1.5)
    await shop.ended(job_id)
    await until(lambda: not len(shop.hand))
    assert seconds_by_state(shop.metrics) == {"requeued": 0.75, "succeeded": 1.5}


async def test_a_job_that_came_back_waited_only_once(shop: Shop) -> None:
    job_id = await shop.generating()
    (held,) = shop.hand
    await shop.hand.hand_back(held)
    await until(lambda: job_id in shop.engine.works)
    assert shop.engine.works[job_id].attempt == 2
    assert value(shop.metrics, "queue_wait_seconds_count", model="tiny", priority="interactive") == 1


async def test_a_job_whose_last_worker_died_is_counted_by_who_gives_it_up(shop: Shop) -> None:
    job_id = await shop.submit(model="another")
    shop.ledger._records[job_id].attempt = shop.ledger.rules.max_attempts - 1
    assert await shop.ledger.claim("worker-2", ["another"], 1)
    shop.clock.now += 60
    await shop.ended(job_id)
    counted = {"model": "another", "state": "failed", "code": "attempts_exhausted"}
    await until(lambda: value(shop.metrics, "jobs_finished_total", **counted) == 1)


async def test_a_last_word_that_the_ledger_refused_is_not_counted(shop: Shop) -> None:
    job_id = await shop.generating()
    await shop.ledger.cancel("ann", job_id)
    shop.engine.finish(job_id)
    await until(lambda: not len(shop.hand))
    assert value(shop.metrics, "jobs_finished_total", model="tiny", state="succeeded", code="") is None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, host="127.0.0.1", metrics_port=free_port())


@pytest.fixture
def shown(settings: Settings) -> Iterator[Metrics]:
    metrics = Metrics()
    serving: Any = expose(metrics, settings.host, settings.metrics_port)
    assert metrics.shown
    yield metrics
    server, thread = serving
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_worker_shows_its_measurements_on_its_port(shown: Metrics, settings: Settings) -> None:
    shown.passed("tiny", 6, 8, 0.25)
    text = httpx.get(f"http://127.0.0.1:{settings.metrics_port}/metrics", trust_env=False).text
    assert 'darkroom_steps_total{model="tiny"} 1.0' in text
    assert 'darkroom_rows_per_step_sum{model="tiny"} 6.0' in text
    assert 'darkroom_step_duration_seconds_sum{model="tiny"} 0.25' in text
    assert "process_resident_memory_bytes" in text


def test_nothing_listens_unless_a_port_is_set(tmp_path: Path) -> None:
    assert expose(Metrics(), "127.0.0.1", None) is None


def test_a_port_that_is_taken_does_not_stop_the_work(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.metrics_port or 0)):
        assert expose(metrics := Metrics(), settings.host, settings.metrics_port) is None
    assert not metrics.shown
