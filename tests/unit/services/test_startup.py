"""What stops a process from starting."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.errors import BrokenWeights, ConfigurationError, MissingWeights, StoreUnavailable
from darkroom.ledger.protocol import LedgerHealth
from darkroom.services import build_courier_services, build_gateway_services, build_worker_services, check_start
from darkroom.settings import Settings
from tests.fakes import fake_services


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.com", ""])
def test_anonymous_access_off_loopback_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="allow_anonymous"):
        build_gateway_services(Settings(home=tmp_path, host=host, allow_anonymous=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
async def test_anonymous_access_on_loopback_is_fine(host: str, tmp_path: Path) -> None:
    services = build_gateway_services(Settings(home=tmp_path, host=host, allow_anonymous=True))
    await services.close()


async def test_a_gateway_starts_beside_a_model_that_is_missing(tmp_path: Path) -> None:
    services = build_gateway_services(Settings(home=tmp_path, models={"gone": tmp_path / "gone"}))
    assert [entry.name for entry in services.catalog.unavailable()] == ["gone"]
    await services.close()


async def test_a_worker_serves_the_rest_beside_a_model_that_is_missing_and_names_it(tmp_path: Path) -> None:
    services = build_worker_services(Settings(home=tmp_path, models={"gone": tmp_path / "folder"}))
    assert [spec.name for spec in services.catalog.specs()] == ["tiny"]
    assert services.catalog.broken() == ("the model gone is broken: folder: no such folder",)
    await services.close()


def test_a_worker_does_not_start_without_its_default_model(tmp_path: Path) -> None:
    models = {"gone": tmp_path / "folder"}
    with pytest.raises(MissingWeights, match="folder"):
        build_worker_services(Settings(home=tmp_path, models=models, default_model="gone"))


def test_a_worker_names_the_broken_file(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model_index.json").write_bytes(b"{")
    with pytest.raises(BrokenWeights, match=r"model_index\.json"):
        build_worker_services(Settings(home=tmp_path, models={"mine": tmp_path / "model"}, default_model="mine"))


async def test_the_check_hands_on_the_ledgers_warnings() -> None:
    assert "memory" in (await check_start(fake_services()))[0]


def ledger_saying(*problems: str, losses: tuple[str, ...] = ()) -> Any:
    async def check() -> LedgerHealth:
        return LedgerHealth(problems=problems, warnings=losses, losses=losses)

    return SimpleNamespace(check=check)


async def test_a_ledger_that_would_lose_jobs_stops_the_start() -> None:
    fake = fake_services()
    services: Any = SimpleNamespace(ledger=ledger_saying("it evicts"), store=fake.store, settings=fake.settings)
    with pytest.raises(ConfigurationError, match="it evicts"):
        await check_start(services)


async def test_production_starts_on_no_ledger_that_may_forget_accepted_jobs() -> None:
    fake = fake_services()
    ledger = ledger_saying("it evicts", losses=("it syncs now and then",))
    services: Any = SimpleNamespace(ledger=ledger, store=fake.store, settings=fake.settings)
    with pytest.raises(ConfigurationError) as raised:
        await check_start(services)
    assert raised.value.detail == "it evicts"
    services.settings = fake.settings.model_copy(update={"production": True})
    with pytest.raises(ConfigurationError) as raised:
        await check_start(services)
    assert raised.value.detail == "it evicts; it syncs now and then"


async def test_a_store_that_is_away_stops_the_start(tmp_path: Path) -> None:
    services = build_gateway_services(Settings(home=tmp_path))
    (tmp_path / "store").rmdir()
    stood_on: Any = SimpleNamespace(ledger=ledger_saying(), store=services.store, settings=services.settings)
    with pytest.raises(StoreUnavailable):
        await check_start(stood_on)
    await services.close()


async def test_records_that_would_end_before_their_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="record_ttl"):
        build_courier_services(Settings(home=tmp_path, record_ttl=8 * 86400, result_ttl=8 * 86400 + 1))
    await build_courier_services(Settings(home=tmp_path, record_ttl=8 * 86400, result_ttl=8 * 86400)).close()
