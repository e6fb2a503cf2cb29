"""What production refuses, in every process that marks, signs or verifies."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.cli import checks
from darkroom.errors import ConfigurationError
from darkroom.ledger.protocol import LedgerHealth
from darkroom.ledger.redis import RedisLedger
from darkroom.provenance import development_pki
from darkroom.services import build_gateway_services, build_worker_services
from darkroom.services.production import refuse_development, unfit_for_production
from darkroom.settings import Settings
from tests.unit.provenance.certificates import Authority

GUARDED = "redis://worker:a-password@127.0.0.1:6379/0"
BUILDERS = [build_gateway_services, build_worker_services]


def signed_for(home: Path, *, development: bool = False, **changed: Any) -> Settings:
    """Production, with a certificate in a file."""
    identity = development_pki(home / "pki") if development else Authority().signer()
    chain, key = home / "chain.pem", home / "key.pem"
    chain.write_text(identity.chain_pem)
    key.touch(mode=0o600)
    key.write_text(identity.key_pem)
    given = {
        "watermark_secret": "ab" * 16,
        "redis_url": GUARDED,
        "signing_certificate": chain,
        "signing_key": key,
        **changed,
    }
    return Settings(home=home, production=True, **given)


@pytest.mark.parametrize("build", BUILDERS)
def test_production_makes_no_development_certificate(build: Callable[[Settings], Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_SIGNING_CERTIFICATE"):
        build(Settings(home=tmp_path, production=True))
    assert not (tmp_path / "pki").exists()


@pytest.mark.parametrize("build", BUILDERS)
def test_production_takes_no_development_certificate_from_a_file(
    build: Callable[[Settings], Any], tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"chain\.pem, a development certificate"):
        build(signed_for(tmp_path, development=True))


@pytest.mark.parametrize("build", BUILDERS)
def test_production_lets_no_picture_out_unmarked(build: Callable[[Settings], Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_WATERMARK=none"):
        build(signed_for(tmp_path, watermark="none"))


@pytest.mark.parametrize("build", BUILDERS)
def test_production_makes_no_watermark_secret(build: Callable[[Settings], Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"set DARKROOM_WATERMARK_SECRET .*watermark-key"):
        build(signed_for(tmp_path, watermark_secret=None))
    assert not (tmp_path / "watermark.key").exists()


@pytest.mark.parametrize("build", BUILDERS)
def test_production_serves_nobody_without_a_key(build: Callable[[Settings], Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unset DARKROOM_ALLOW_ANONYMOUS"):
        build(signed_for(tmp_path, allow_anonymous=True))


def test_an_open_door_is_not_said_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"SIGNING_CERTIFICATE.*; unset DARKROOM_ALLOW_ANONYMOUS"):
        build_gateway_services(Settings(home=tmp_path, production=True, host="192.0.2.7", allow_anonymous=True))


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("name", ["key.pem", "watermark.key"])
def test_production_starts_beside_no_secret_that_others_may_read(
    build: Callable[[Settings], Any], name: str, tmp_path: Path
) -> None:
    settings = signed_for(tmp_path)
    (tmp_path / name).touch()
    (tmp_path / name).chmod(0o644)
    with pytest.raises(ConfigurationError, match=f"{name} can be read by others than its owner: chmod 600 it"):
        build(settings)


@pytest.mark.parametrize("build", BUILDERS)
def test_production_leaves_no_ledger_open_to_whoever_reaches_it(
    build: Callable[[Settings], Any], tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_REDIS_URL has no password"):
        build(signed_for(tmp_path, redis_url="redis://worker@127.0.0.1:6379/0"))


@pytest.mark.parametrize("build", BUILDERS)
async def test_a_socket_is_guarded_by_its_mode(build: Callable[[Settings], Any], tmp_path: Path) -> None:
    await build(signed_for(tmp_path, redis_url="unix:///run/valkey.sock")).close()


def test_what_is_unfit_in_development_is_fine_there(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, watermark="none", allow_anonymous=True)
    assert len(list(unfit_for_production(settings))) == 5
    refuse_development(settings)


def test_all_that_is_to_be_set_is_said_at_once_and_no_secret_is(tmp_path: Path) -> None:
    open_key = tmp_path / "open.pem"
    open_key.touch()
    open_key.chmod(0o640)
    settings = Settings(
        home=tmp_path,
        production=True,
        watermark="none",
        watermark_secret="canary",
        allow_anonymous=True,
        signing_certificate=tmp_path / "gone.pem",
        signing_key=open_key,
    )
    with pytest.raises(ConfigurationError) as raised:
        build_gateway_services(settings)
    said = (
        r"gone\.pem cannot be read",
        "WATERMARK=none",
        "not hexadecimal",
        r"open\.pem",
        "ALLOW_ANONYMOUS",
        "REDIS_URL",
    )
    for words in said:
        assert re.search(words, raised.value.detail), words
    assert raised.value.detail.count("; ") == 5
    assert "canary" not in raised.value.detail


@pytest.mark.parametrize("build", BUILDERS)
async def test_production_starts_with_a_certificate_of_its_own(
    build: Callable[[Settings], Any], tmp_path: Path
) -> None:
    await build(signed_for(tmp_path)).close()


async def test_the_doctor_says_what_production_would_refuse(tmp_path: Path) -> None:
    unfit = Settings(home=tmp_path, production=True, watermark="none")
    assert await checks.check_production(unfit) == [("fail", words) for words in unfit_for_production(unfit)]
    assert [state for state, _ in await checks.check_production(signed_for(tmp_path))] == ["ok"]
    ((state, words),) = await checks.check_production(Settings(home=tmp_path))
    assert (state, "3 things" in words) == ("ok", True)


@pytest.mark.parametrize(("production", "state"), [(True, "fail"), (False, "warn")])
async def test_the_doctor_judges_the_ledger_as_a_start_would(
    production: bool, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(_: RedisLedger) -> LedgerHealth:
        return LedgerHealth(problems=(), warnings=("it forgets", "it may be slow"), losses=("it forgets",))

    monkeypatch.setattr(RedisLedger, "check", check)
    settings = Settings(home=tmp_path, production=production, redis_url="redis://127.0.0.1:1/0")
    assert await checks.check_ledger(settings) == [(state, "it forgets"), ("warn", "it may be slow")]
