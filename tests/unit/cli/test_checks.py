"""What the doctor says of sick installations."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from darkroom.cli import checks
from darkroom.cli.app import run
from darkroom.errors import ConfigurationError, StoreUnavailable
from darkroom.provenance import development_pki, kept_secret
from darkroom.settings import Settings
from tests.servers.posts import Answer, served
from tests.unit.catalog.conftest import safetensors, tensor
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.timestamping import FAULTS, honest
from tests.unit.provenance.trustmark.stand_in import networks_in


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("DARKROOM_REDIS_URL", raising=False)
    return Settings(home=tmp_path)


async def test_a_development_certificate_is_a_warning(settings: Settings) -> None:
    assert [state for state, _ in await checks.check_keys(settings)] == ["warn"]


async def test_a_secret_that_others_can_read_is_a_failure(settings: Settings) -> None:
    kept_secret(settings.home_folder / "watermark.key")
    (settings.home_folder / "watermark.key").chmod(0o644)
    (finding,) = [found for found in await checks.run_checks(settings, only=("keys",)) if found.state == "fail"]
    assert "watermark.key" in finding.words
    assert "chmod 600" in finding.words


async def test_a_picture_without_a_watermark_is_a_warning(settings: Settings) -> None:
    unmarked = settings.model_copy(update={"watermark": "none"})
    assert "DARKROOM_WATERMARK=none" in (await checks.check_keys(unmarked))[-1][1]


async def test_a_certificate_is_judged_by_what_is_left_of_it(settings: Settings) -> None:
    expires_at = development_pki(settings.home_folder).expires_at
    assert checks.judge_expiry(expires_at, datetime.now(UTC))[0] == "ok"
    assert checks.judge_expiry(expires_at, expires_at - timedelta(days=3))[0] == "warn"


@pytest.mark.parametrize(("script", "state"), [("cat", "fail"), ("exit 3", "fail"), (None, "ok")])
async def test_whoever_holds_the_key_is_asked_to_sign(settings: Settings, script: str | None, state: str) -> None:
    identity = development_pki(settings.home_folder / "pki")
    chain, key = settings.home_folder / "chain.pem", settings.home_folder / "leaf.key"
    chain.write_text(identity.chain_pem)
    key.write_text(identity.key_pem)
    command = ("sh", "-c", script) if script else ("openssl", "dgst", "-sha256", "-sign", str(key))
    held = Settings(home=settings.home, signing_certificate=chain, signing_command=command)
    findings = await checks.run_checks(held, only=("keys",))
    assert findings[-1].state == state, findings
    assert "sign" in findings[-1].words


@pytest.mark.parametrize(
    ("purpose", "state"), [(ExtendedKeyUsageOID.EMAIL_PROTECTION, "ok"), (ExtendedKeyUsageOID.SERVER_AUTH, "fail")]
)
async def test_a_picture_is_signed_by_a_key_that_is_here(
    settings: Settings, purpose: ObjectIdentifier, state: str
) -> None:
    identity = Authority().signer(purposes=[purpose], lives=timedelta(days=90))
    chain, key = settings.home_folder / "chain.pem", settings.home_folder / "leaf.key"
    chain.write_text(identity.chain_pem)
    key.touch(0o600)
    key.write_text(identity.key_pem)
    ours = Settings(home=settings.home, signing_certificate=chain, signing_key=key)
    findings = await checks.run_checks(ours, only=("keys",))
    assert findings[-1].state == state, findings
    assert "picture can be signed" in findings[-1].words


@pytest.mark.parametrize(
    ("answer", "policy", "state"),
    [(honest(), "required", "ok"), (FAULTS["rejects"], "best_effort", "warn"), (FAULTS["rejects"], "required", "fail")],
)
async def test_whoever_attests_the_time_is_asked_to(
    settings: Settings, answer: Answer, policy: str, state: str
) -> None:
    with served(answer) as asked:
        timed = settings.model_copy(update={"timestamp_url": asked.url, "timestamp_policy": policy})
        verdicts = await checks.check_keys(timed)
    assert [(found, "time" in words) for found, words in verdicts[1:]] == [(state, True)]


async def test_a_gateway_has_a_certificate_and_no_key(settings: Settings) -> None:
    chain = settings.home_folder / "chain.pem"
    chain.write_text(development_pki(settings.home_folder / "pki").chain_pem)
    ((state, words),) = await checks.check_keys(Settings(home=settings.home, signing_certificate=chain))
    assert (state, "none to sign with" in words) == ("ok", True)


async def test_a_checkpoint_without_weights_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = settings.model_copy(update={"models": {"mine": tmp_path / "empty"}})
    verdicts = await checks.check_models(broken)
    assert [(state, words.partition(":")[0]) for state, words in verdicts] == [
        ("fail", "mine"),
        ("ok", "tiny"),
        ("ok", "LoRA outline"),
        ("ok", "ControlNet tiny-canny"),
    ]


async def test_embeddings_and_preprocessors_are_looked_at_and_broken_ones_are_warnings(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "a.onnx").write_bytes(b"joints")
    (tmp_path / "odd.safetensors").write_bytes(b"")
    (tmp_path / "wide.safetensors").write_bytes(safetensors({"emb_params": tensor([1, 5], 0)}, bytes(20)))
    given = settings.model_copy(
        update={
            "embeddings": {"odd": tmp_path / "odd.safetensors", "wide": tmp_path / "wide.safetensors"},
            "preprocessors": {"depth": tmp_path / "nowhere", "openpose": tmp_path},
        }
    )
    assert (await checks.check_models(given))[-4:] == [
        ("warn", "embedding odd: odd.safetensors: shorter than its eight byte prefix"),
        ("warn", "embedding wide: for none of the models"),
        ("warn", "preprocessor depth: nowhere: no such file or folder"),
        ("ok", "preprocessor openpose: pose"),
    ]


async def test_a_redis_that_is_away_is_a_failure(settings: Settings) -> None:
    away = Settings(home=settings.home, redis_url="redis://127.0.0.1:1/0")
    findings = await checks.run_checks(away, only=("ledger", "clock"))
    assert [finding.state for finding in findings] == ["fail", "fail"]


async def test_a_store_that_is_away_is_a_failure(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Settings) -> list[checks.Verdict]:
        raise StoreUnavailable("the bucket does not answer")

    monkeypatch.setitem(checks.CHECKS, "store", away)
    (finding,) = await checks.run_checks(settings, only=("store",))
    assert finding == checks.Finding("fail", "store", "the bucket does not answer")


async def test_a_store_that_is_not_there_yet_is_not_made(settings: Settings) -> None:
    ((state, words),) = await checks.check_store(settings)
    assert (state, "will be made" in words) == ("ok", True)
    assert list(settings.home_folder.iterdir()) == []


async def test_a_store_that_cannot_be_made_is_a_failure(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    hopeless = settings.model_copy(update={"store_folder": tmp_path / "file" / "store"})
    ((state, words),) = await checks.check_store(hopeless)
    assert (state, "cannot be made" in words) == ("fail", True)


async def test_looking_at_models_writes_nothing(settings: Settings) -> None:
    await checks.check_models(settings)
    assert list(settings.home_folder.iterdir()) == []


def test_findings_are_one_line_each_however_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "a folder of a very long name " * 8 + "[end]"

    async def found(_: Settings) -> list[checks.Finding]:
        return [checks.Finding("ok", "store", long), checks.Finding("warn", "keys", "short")]

    monkeypatch.setattr(checks, "run_checks", found)
    assert run(["doctor"]) == 0
    assert capsys.readouterr().out == f"ok    store       {long}\nwarn  keys        short\n"


@pytest.mark.slow
async def test_a_fresh_machine_has_nothing_that_fails(settings: Settings) -> None:
    findings = await checks.run_checks(settings)
    assert {finding.about for finding in findings} == set(checks.CHECKS)
    assert [finding for finding in findings if finding.state == "fail"] == []
    assert list(settings.home_folder.iterdir()) == []


async def test_networks_that_are_not_those_pinned_are_found(tmp_path: Path) -> None:
    files = networks_in(tmp_path)
    pinned = {name: getattr(files, name) for name in files.__dataclass_fields__}
    settings = Settings(home=tmp_path, trustmark=pinned)
    assert ("ok", "networks of TrustMark Q are those that are pinned") in await checks.check_keys(settings)
    files.decoder.write_bytes(b"another")
    with pytest.raises(ConfigurationError, match="another than is set"):
        await checks.check_keys(settings)
