import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.readiness import Readiness
from darkroom.errors import LedgerUnavailable, StoreUnavailable
from darkroom.ledger.protocol import LedgerHealth
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, ask, bearer, client_of, problem_in


def raising(error: Exception) -> Any:
    async def away(*_: Any, **__: Any) -> Any:
        raise error

    return away


async def samples(client: httpx.AsyncClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_process_is_alive_whatever_else_is_not(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.ledger, "check", raising(LedgerUnavailable("gone")))
    answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


async def test_ready_shows_its_warnings(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> LedgerHealth:
        return LedgerHealth(problems=(), warnings=("appendfsync is everysec",))

    monkeypatch.setattr(services.ledger, "check", check)
    await services.ledger.attend("worker-1", ["tiny"])
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "warnings": ["appendfsync is everysec"], "unserved": []}


async def test_however_many_ask_the_store_is_asked_once_at_a_time(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    readiness, leave, asked = Readiness(), asyncio.Event(), 0

    async def check() -> None:
        nonlocal asked
        asked += 1
        await leave.wait()

    monkeypatch.setattr(services.store, "check", check)
    impatient, *waiting = [asyncio.create_task(readiness.of(services)) for _ in range(20)]
    await asyncio.sleep(0)
    impatient.cancel()  # who hangs up takes nobody's answer away
    leave.set()
    assert [found.problems for found in await asyncio.gather(*waiting)] == [[]] * 19
    assert asked == 1
    await readiness.of(services)
    assert asked == 2


async def test_a_model_that_nobody_serves_is_a_warning_until_somebody_does(
    services: Services, client: httpx.AsyncClient
) -> None:
    unserved = (await client.get("/readyz")).json()
    assert unserved["unserved"] == ["tiny"]
    assert "no worker serves tiny: generations with it wait until one does" in unserved["warnings"]
    await services.ledger.attend("worker-1", ["tiny"])
    assert (await client.get("/readyz")).json()["unserved"] == []
    await services.ledger.abandon("worker-1", "child died: signal 9")
    assert (await client.get("/readyz")).json()["unserved"] == ["tiny"]


async def test_a_broken_model_is_a_warning_with_its_name(tmp_path: Path) -> None:
    from darkroom.catalog import embedded_model_folder
    from darkroom.catalog.digests import DigestCache
    from darkroom.catalog.registry import read_catalog

    folders = {"tiny": embedded_model_folder(), "portrait": tmp_path / "gone"}
    catalog = read_catalog(folders, default="tiny", digests=DigestCache())
    async with client_of(replace(fake_services(), catalog=catalog)) as client:
        warnings = (await client.get("/readyz")).json()["warnings"]
    assert "the model portrait is broken: gone: no such folder" in warnings


async def test_workers_are_counted_for_prometheus(services: Services, client: httpx.AsyncClient) -> None:
    await services.ledger.attend("worker-1", ["tiny"])
    await services.ledger.attend("worker-2", ["tiny"])
    assert (await samples(client))["darkroom_workers", frozenset({("model", "tiny")})] == 2
    await services.ledger.attend("worker-1", [])
    await services.ledger.attend("worker-2", [])
    assert "darkroom_workers" not in {name for name, _ in await samples(client)}


async def test_not_ready_gives_every_reason(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.ledger, "check", raising(LedgerUnavailable("the ledger is away")))
    monkeypatch.setattr(services.store, "check", raising(StoreUnavailable("the store is away")))
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 2
    found = problem_in(answer)
    assert (found["code"], found["retryable"]) == ("not_ready", True)
    assert found["problems"] == ["the ledger is away", "the store is away"]


async def test_a_ledger_that_would_lose_jobs_is_not_ready(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> LedgerHealth:
        return LedgerHealth(problems=("maxmemory-policy is allkeys-lru",), warnings=("no AOF",))

    monkeypatch.setattr(services.ledger, "check", check)
    await services.ledger.attend("worker-1", ["tiny"])
    found = problem_in(await client.get("/readyz"))
    assert (found["problems"], found["warnings"]) == (["maxmemory-policy is allkeys-lru"], ["no AOF"])


async def test_requests_are_counted_by_route_and_never_by_path(client: httpx.AsyncClient) -> None:
    job = await ask(client)
    await client.get(job["links"]["self"])
    await client.get("/nowhere/at/all")
    await client.request("BREW", "/coffee")
    found = await samples(client)

    def count(method: str, route: str, status: str) -> float:
        labels = frozenset({"method": method, "route": route, "status": status}.items())
        return found["darkroom_http_requests_total", labels]

    assert count("POST", GENERATIONS, "202") == 1
    assert count("GET", f"{GENERATIONS}/{{job_id}}", "200") == 1
    assert count("GET", "unmatched", "404") == 1
    assert count("other", "unmatched", "404") == 1
    assert not [labels for _, labels in found if "tenant" in dict(labels)]


async def test_the_line_is_measured_as_it_is_now(services: Services, client: httpx.AsyncClient) -> None:
    job = await ask(client)
    line = ("darkroom_jobs_waiting", frozenset({"model": services.catalog.default}.items()))
    assert (await samples(client))[line] == 1
    await client.delete(job["links"]["self"])
    assert line not in await samples(client)


async def test_metrics_outlive_the_ledger(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = ("darkroom_dependency_up", frozenset({"dependency": "ledger"}.items()))
    assert (await samples(client))[up] == 1
    monkeypatch.setattr(services.ledger, "workloads", raising(LedgerUnavailable("gone")))
    assert (await samples(client))[up] == 0


async def test_probes_are_open_and_metrics_are_not() -> None:
    async with client_of(fake_services(allow_anonymous=False, api_keys=API_KEYS)) as client:
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers=bearer("bob"))).status_code == 200
