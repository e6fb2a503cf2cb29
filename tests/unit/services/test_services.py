"""The composition root."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkroom.errors import ConfigurationError, UrlRefused
from darkroom.services import WorkerServices, build_courier_services, build_gateway_services, build_worker_services
from darkroom.services.keys import open_keys, trusted_signers
from darkroom.settings import Settings
from darkroom.storage import GuardedStore
from tests.fakes import fake_services


async def test_a_gateway_is_wired_without_contacting_anything(tmp_path: Path) -> None:
    services = build_gateway_services(Settings(home=tmp_path, redis_url="redis://192.0.2.1:1/0"))
    assert isinstance(services.store, GuardedStore)
    assert services.catalog.default == "tiny"
    await services.close()


async def test_an_operator_opens_networks_and_ports_to_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_OUTBOUND_ALLOW", '["127.0.0.0/8", "fd00::/8"]')
    monkeypatch.setenv("DARKROOM_OUTBOUND_PORTS", "[8080]")
    services = build_gateway_services(Settings(home=tmp_path))
    assert await services.guard.vetted("127.0.0.1", 8080) == ("127.0.0.1",)
    for host, port in (("10.0.0.1", 8080), ("127.0.0.1", 80)):
        with pytest.raises(UrlRefused):
            await services.guard.vetted(host, port)
    await services.close()


async def test_a_worker_has_what_stamps(tmp_path: Path) -> None:
    services = build_worker_services(Settings(home=tmp_path))
    assert isinstance(services, WorkerServices)
    assert services.stamper
    assert services.records
    await services.close()


async def test_gateway_and_worker_of_one_home_share_their_keys(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    gateway, worker = build_gateway_services(settings), build_worker_services(settings)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".lock") == [
        "digests.json",
        "pki",
        "store",
        "watermark.key",
    ]
    await gateway.close()
    await worker.close()


async def test_a_gateway_needs_certificates_and_no_key_that_signs(tmp_path: Path) -> None:
    made = open_keys(Settings(home=tmp_path / "elsewhere")).identity
    (tmp_path / "chain.pem").write_text(made.chain_pem)
    services = build_gateway_services(Settings(home=tmp_path / "home", signing_certificate=tmp_path / "chain.pem"))
    assert not (tmp_path / "home" / "pki").exists()
    await services.close()
    with pytest.raises(ConfigurationError, match="together"):
        build_worker_services(Settings(home=tmp_path / "home", signing_certificate=tmp_path / "chain.pem"))


async def test_a_gateway_does_not_read_the_development_keys(tmp_path: Path) -> None:
    open_keys(Settings(home=tmp_path))
    for name in ("authority.pem", "signer.pem"):
        (tmp_path / "pki" / name).write_text("whoever reads this stops")
    await build_gateway_services(Settings(home=tmp_path)).close()


async def test_a_gateway_that_comes_first_trusts_the_worker_that_comes_after(tmp_path: Path) -> None:
    trust = trusted_signers(Settings(home=tmp_path))
    assert trust.anchors_pem.strip() == open_keys(Settings(home=tmp_path)).identity.anchor_pem.strip()


async def test_a_courier_needs_no_key_and_makes_none(tmp_path: Path) -> None:
    await build_courier_services(Settings(home=tmp_path)).close()
    assert {path.name for path in tmp_path.iterdir()} <= {"store"}


async def test_closing_closes_everything_last_to_first_even_when_one_fails() -> None:
    closed: list[str] = []

    async def first() -> None:
        closed.append("first")

    async def failing() -> None:
        closed.append("failing")
        raise OSError("gone")

    async def last() -> None:
        closed.append("last")

    services = replace(fake_services(), closers=(first, failing, last))
    with pytest.raises(OSError, match="gone"):
        await services.close()
    assert closed == ["last", "failing", "first"]
