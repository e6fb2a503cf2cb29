"""What stops a process from starting."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.errors import (
    BrokenWeights,
    ConfigurationError,
    LedgerRefused,
    LedgerUnavailable,
    MissingWeights,
    StoreRefused,
    StoreUnavailable,
)
from darkroom.ledger.protocol import LedgerHealth
from darkroom.services import build_courier_services, build_gateway_services, build_worker_services, check_start
from darkroom.services.configuration import misspelt
from darkroom.services.startup import try_store
from darkroom.settings import Settings
from darkroom.storage import MemoryStore
from tests.fakes import fake_services


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.com", ""])
def test_anonymous_access_off_loopback_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_ALLOW_ANONYMOUS"):
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
    assert raised.value.detail == "DARKROOM_REDIS_URL: it evicts"
    services.settings = fake.settings.model_copy(update={"production": True})
    with pytest.raises(ConfigurationError) as raised:
        await check_start(services)
    assert raised.value.detail == "DARKROOM_REDIS_URL: it evicts; it syncs now and then"


async def test_a_store_that_is_away_stops_the_start(tmp_path: Path) -> None:
    services = build_gateway_services(Settings(home=tmp_path))
    (tmp_path / "store").rmdir()
    stood_on: Any = SimpleNamespace(ledger=ledger_saying(), store=services.store, settings=services.settings)
    with pytest.raises(StoreUnavailable):
        await check_start(stood_on)
    await services.close()


async def test_records_that_would_end_before_their_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_RECORD_TTL"):
        build_courier_services(Settings(home=tmp_path, record_ttl=8 * 86400, result_ttl=8 * 86400 + 1))
    await build_courier_services(Settings(home=tmp_path, record_ttl=8 * 86400, result_ttl=8 * 86400)).close()


class Refusing(MemoryStore):
    """Refuses `times` times, and then no more."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]:
        self.times -= 1
        if self.times >= 0:
            raise StoreRefused("the object store refused (NoSuchBucket)", "s3_bucket")
        return await super().keys(folder, after=after, limit=limit)


async def test_a_store_that_goes_on_refusing_stops_the_start_by_the_name_of_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"DARKROOM_S3_BUCKET: the object store refused \(NoSuchBucket\)"):
        await try_store(Refusing(99), Settings(home=tmp_path), settling=0)


async def test_a_store_that_has_only_just_begun_may_refuse_for_a_moment(tmp_path: Path) -> None:
    store = Refusing(1)
    await try_store(store, Settings(home=tmp_path), settling=10)
    assert await MemoryStore.keys(store, "images") == [], "what it was tried with is gone"


async def test_a_breaker_says_that_what_refuses_is_away_and_no_more() -> None:
    for refused, away in (
        (StoreRefused("no", "s3_bucket"), StoreUnavailable),
        (LedgerRefused("no", "WRONGPASS"), LedgerUnavailable),
    ):
        assert type(refused.anew()) is away


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DARKROOM_REDISURL", "DARKROOM_REDIS_URL"),
        ("DARKROOM_PRODUCTON", "DARKROOM_PRODUCTION"),
        ("DARKROOM_ALLOWED_HOST", "DARKROOM_ALLOWED_HOSTS"),
        ("DARKROOM_WATERMARK_SECRETS", "DARKROOM_WATERMARK_SECRET"),
    ],
)
def test_a_slip_is_told_from_what_is_meant(name: str, meant: str) -> None:
    assert list(misspelt({name: "x"})) == [(name, f"is no setting; {meant} is")]


@pytest.mark.parametrize(
    "name", ["DARKROOM_API_KEY", "DARKROOM_URL", "DARKROOM_UID", "DARKROOM_SERVICE_HOST", "DARKROOM_PORT_8000_TCP_ADDR"]
)
def test_what_is_of_others_is_no_slip(name: str) -> None:
    assert list(misspelt({name: "x", "REDIS_URL": "x"})) == []
