"""The keys of an installation."""

import stat
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import ConfigurationError
from darkroom.provenance.in_turn import algs_read_by
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.keyholders.command import SigningCommand
from darkroom.provenance.keyholders.service import SigningService
from darkroom.provenance.timestamping import TimestampAuthority
from darkroom.provenance.tss.gates import gates_for
from darkroom.provenance.tss.ring import Epochs, KeyRing
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.provenance.watermark import NoWatermarker
from darkroom.services.keys import open_keys, timestamp_authority, trusted_signers, watermark_secret
from darkroom.settings import Settings
from tests.unit.provenance.trustmark.stand_in import networks_in


def test_keys_are_made_once_and_found_again(tmp_path: Path) -> None:
    first, second = open_keys(Settings(home=tmp_path)), open_keys(Settings(home=tmp_path))
    assert first.ring.current == second.ring.current
    assert len(first.ring.current.secret) == 32
    assert first.identity == second.identity
    assert isinstance(first.watermarker, TssWatermarker)


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    one, other = Settings(home=tmp_path / "one"), Settings(home=tmp_path / "other")
    assert watermark_secret(one) != watermark_secret(other)


def test_every_secret_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    open_keys(Settings(home=tmp_path / "home"))
    secrets = [path for path in (tmp_path / "home").rglob("*") if path.is_file() and path.name != ".lock"]
    assert len(secrets) >= 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    watermark_secret(Settings(home=tmp_path))
    (tmp_path / "watermark.key").chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"watermark\.key"):
        watermark_secret(Settings(home=tmp_path))


def test_a_secret_of_the_settings_goes_before_the_home(tmp_path: Path) -> None:
    assert watermark_secret(Settings(home=tmp_path, watermark_secret="ab" * 16)) == b"\xab" * 16
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["", "abcd", "canary" * 8, "ab" * 15])
def test_a_secret_that_is_none_is_refused_without_showing_it(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        watermark_secret(Settings(home=tmp_path, watermark_secret=wrong))
    assert "canary" not in raised.value.detail
    assert raised.value.__cause__ is None


def test_old_secrets_are_read_by_up_to_the_current_epoch_also_in_the_inspectors_process(tmp_path: Path) -> None:
    keys = open_keys(
        Settings(home=tmp_path, watermark_secret="ab" * 16, watermark_epoch=2, watermark_old_secrets=("cd" * 16,))
    )
    assert keys.ring == KeyRing.of(b"\xab" * 16, 2, Epochs(b"\xcd" * 16, 2))
    told = Brief.model_validate_json(Brief.of(keys.ring, trusted_signers(Settings(home=tmp_path))).model_dump_json())
    assert told.keys == (keys.ring.current, *keys.ring.older)


def test_an_old_secret_is_read_by_no_further_than_the_epoch_that_is_told(tmp_path: Path) -> None:
    old = {"secret": "cd" * 16, "last_epoch": 1}
    settings = Settings(home=tmp_path, watermark_secret="ab" * 16, watermark_epoch=4, watermark_old_secrets=(old,))
    ring = open_keys(settings).ring
    assert ring == KeyRing.of(b"\xab" * 16, 4, Epochs(b"\xcd" * 16, 1))
    assert ring.gates == gates_for(5 + 2)


@pytest.mark.parametrize(
    "wrong", [{"secret": "cd" * 16, "last_epoch": 2}, {"secret": "canary", "last_epoch": 1}], ids=["beyond", "no hex"]
)
def test_an_old_secret_of_an_epoch_to_come_or_that_is_none_is_refused(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_WATERMARK_OLD_SECRETS") as raised:
        open_keys(Settings(home=tmp_path, watermark_old_secrets=(wrong,)))
    assert "canary" not in raised.value.detail


@pytest.mark.parametrize("wrong", ["", "abcd", "canary" * 8])
def test_an_old_secret_that_is_none_is_refused_without_showing_it(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        open_keys(Settings(home=tmp_path, watermark_old_secrets=(wrong,)))
    assert "canary" not in raised.value.detail
    assert raised.value.__cause__ is None


def test_the_watermark_may_be_left_out_for_development(tmp_path: Path) -> None:
    assert isinstance(open_keys(Settings(home=tmp_path, watermark="none")).watermarker, NoWatermarker)


HALVES: dict[str, Any] = {
    "signing_certificate": "x.pem",
    "signing_key": "x.pem",
    "signing_command": ("cat",),
    "signing_url": "http://localhost/",
}


@pytest.mark.parametrize("half", HALVES)
def test_half_a_signing_identity_is_a_mistake(tmp_path: Path, half: str) -> None:
    with pytest.raises(ConfigurationError, match="together"):
        open_keys(Settings(home=tmp_path, **{half: HALVES[half]}))


def test_two_places_for_one_key_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DARKROOM_SIGNING_COMMAND and DARKROOM_SIGNING_URL are set"):
        open_keys(Settings(home=tmp_path, **{**HALVES, "signing_key": None}))


def chain_in(folder: Path) -> Path:
    (folder / "chain.pem").write_text(open_keys(Settings(home=folder / "other")).identity.chain_pem)
    return folder / "chain.pem"


def test_a_key_behind_a_command_is_not_looked_for_here(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        signing_certificate=chain_in(tmp_path),
        signing_command=("cat", "-"),
        signing_command_variables=("AWS_PROFILE",),
        signing_timeout=3.0,
    )
    identity = open_keys(settings).identity
    assert identity.holder == SigningCommand(("cat", "-"), 3.0, ("AWS_PROFILE",))
    assert (identity.key_pem, identity.algorithm) == ("", "es256")


def test_a_key_behind_a_service_is_not_looked_for_here(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        signing_certificate=chain_in(tmp_path),
        signing_url="http://localhost:1/sign",
        signing_token="canary",
    )
    keys = open_keys(settings)
    assert keys.identity.holder == SigningService("http://localhost:1/sign", 5.0, "canary")
    assert "canary" not in repr(keys)


def test_a_holder_that_cannot_be_used_is_found_at_start(tmp_path: Path) -> None:
    for wrong in ({"signing_command": ("darkroom-no-such-program",)}, {"signing_url": "http://signer.internal/"}):
        with pytest.raises(ConfigurationError, match="DARKROOM_SIGNING_"):
            open_keys(Settings(home=tmp_path, signing_certificate=chain_in(tmp_path), **wrong))


def test_a_configured_identity_is_used(tmp_path: Path) -> None:
    made = open_keys(Settings(home=tmp_path / "other")).identity
    (tmp_path / "chain.pem").write_text(made.chain_pem)
    (tmp_path / "key.pem").write_text(made.key_pem)
    (tmp_path / "key.pem").chmod(0o600)
    settings = Settings(home=tmp_path, signing_certificate=tmp_path / "chain.pem", signing_key=tmp_path / "key.pem")
    assert open_keys(settings).identity.chain_pem == made.chain_pem
    assert not (tmp_path / "pki").exists()


def test_an_authority_of_time_is_asked_where_one_is_set(tmp_path: Path) -> None:
    assert timestamp_authority(Settings(home=tmp_path)) is None
    roots = open_keys(Settings(home=tmp_path / "other")).identity.anchor_pem
    (tmp_path / "times.pem").write_text(roots)
    settings = Settings(
        home=tmp_path,
        timestamp_url="http://timestamp.example/",
        timestamp_policy="required",
        timestamp_timeout=1.5,
        timestamp_anchors=tmp_path / "times.pem",
    )
    authority = timestamp_authority(settings)
    assert authority == TimestampAuthority(
        "http://timestamp.example/", required=True, seconds=1.5, roots_pem=roots.strip()
    )
    assert trusted_signers(settings).timestamps_pem.strip() == roots.strip()


def test_roots_of_times_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, timestamp_anchors=tmp_path / "times.pem", timestamp_url="http://t.example/")
    for read in (trusted_signers, timestamp_authority):
        with pytest.raises(ConfigurationError, match=r"times\.pem"):
            read(settings)


def test_keys_do_not_print_their_secrets(tmp_path: Path) -> None:
    keys = open_keys(Settings(home=tmp_path))
    assert keys.ring.current.secret.hex() not in repr(keys)
    assert repr(keys.ring.current.secret) not in repr(keys)
    assert "PRIVATE KEY" not in repr(keys)


def test_trustmark_marks_where_it_is_chosen_and_our_own_is_still_read(tmp_path: Path) -> None:
    files = networks_in(tmp_path)
    place = {name: getattr(files, name) for name in files.__dataclass_fields__}
    chosen = open_keys(Settings(home=tmp_path, watermark="trustmark-onnx", trustmark=place))
    assert algs_read_by(chosen.watermarker) == ("com.adobe.trustmark.Q", TssWatermarker.alg)
    given_up = open_keys(Settings(home=tmp_path, trustmark=place))
    assert algs_read_by(given_up.watermarker) == (TssWatermarker.alg, "com.adobe.trustmark.Q")


def test_trustmark_needs_its_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="needs DARKROOM_TRUSTMARK"):
        open_keys(Settings(home=tmp_path, watermark="trustmark-onnx"))
