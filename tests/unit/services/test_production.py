"""What production refuses, in every process that marks, signs or verifies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.cli import checks
from darkroom.errors import ConfigurationError
from darkroom.provenance import development_pki
from darkroom.services import build_gateway_services, build_worker_services
from darkroom.settings import Settings
from tests.unit.provenance.certificates import Authority

BUILDERS = [build_gateway_services, build_worker_services]


def signed_for(home: Path, *, development: bool = False, **changed: Any) -> Settings:
    """Production, with a certificate in a file."""
    identity = development_pki(home / "pki") if development else Authority().signer()
    chain, key = home / "chain.pem", home / "key.pem"
    chain.write_text(identity.chain_pem)
    key.touch(mode=0o600)
    key.write_text(identity.key_pem)
    return Settings(home=home, production=True, signing_certificate=chain, signing_key=key, **changed)


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


def test_all_that_is_to_be_set_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"SIGNING_CERTIFICATE.*; .*WATERMARK"):
        build_gateway_services(Settings(home=tmp_path, production=True, watermark="none"))


@pytest.mark.parametrize("build", BUILDERS)
async def test_production_starts_with_a_certificate_of_its_own(
    build: Callable[[Settings], Any], tmp_path: Path
) -> None:
    await build(signed_for(tmp_path)).close()


async def test_the_doctor_says_what_production_would_refuse(tmp_path: Path) -> None:
    unfit = Settings(home=tmp_path, production=True, watermark="none")
    failed = [words for state, words in await checks.check_keys(unfit) if state == "fail"]
    assert [words.partition(":")[0] for words in failed] == ["not fit for production"] * 2
    assert [state for state, _ in await checks.check_keys(signed_for(tmp_path))] == ["warn"]
