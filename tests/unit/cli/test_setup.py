"""What a process is given before it starts: settings, a socket, and packages that are ours."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from darkroom.cli.app import run
from darkroom.cli.config import as_environment
from darkroom.cli.listen import listen, url_of
from darkroom.errors import ConfigurationError
from darkroom.loopback import is_loopback
from darkroom.services.configuration import load_settings
from darkroom.settings import Settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DARKROOM_")]:
        monkeypatch.delenv(name)


def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PORT", "secret-value")
    with pytest.raises(ConfigurationError, match="DARKROOM_PORT: ") as caught:
        load_settings()
    assert "secret-value" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("API_KEYS", "oops-secret"),
        ("WATERMARK_OLD_SECRETS", '[{"secret": "oops-secret"}]'),
        ("API_KEYS", '{"oops-secret": "studio"}'),
        ("MODELS", "oops-secret"),
        ("REDIS_URL", "oops-secret"),
        ("REDIS_URL", "redis://host:oops-secret"),
        ("REDIS_URL", "http://oops-secret"),
        ("PUBLIC_URL", "oops-secret"),
        ("S3_ENDPOINT", "ftp://oops-secret"),
        ("STORE", "oops-secret"),
        ("PORT", "99999"),
        ("PORT", "-1"),
        ("RESULT_TTL", "-5"),
        ("MAX_QUEUED", "-1"),
        ("MAX_BODY_BYTES", "0"),
        ("LEASE_SECONDS", "nan"),
        ("DRAIN_SECONDS", "inf"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    monkeypatch.setenv(f"DARKROOM_{variable}", value)
    assert run(["courier"]) == os.EX_CONFIG
    told = capsys.readouterr().err
    assert f"DARKROOM_{variable}: " in told
    assert "oops-secret" not in told
    assert told.count("\n") == 1


@pytest.mark.slow
def test_a_probe_names_a_wrong_setting_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_REDIS_URL", "oops-secret")
    probe = subprocess.run([sys.executable, "-m", "worker.main", "probe"], capture_output=True, text=True, timeout=60)
    assert probe.returncode == 78
    assert "DARKROOM_REDIS_URL: " in probe.stderr
    assert "oops-secret" not in probe.stderr


def test_the_command_line_outranks_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PORT", "1")
    monkeypatch.setenv("DARKROOM_HOST", "::1")
    settings = load_settings(port=2, host=None)
    assert (settings.port, settings.host) == (2, "::1")


def test_a_child_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        redis_url="redis://:password@127.0.0.1:1/0",
        models={"mine": Path("/models/mine")},
        api_keys={"ab" * 32: "studio"},
        allow_anonymous=True,
        home=Path("/srv/darkroom"),
        lease_seconds=3.5,
        controlnets={"mine": {"type": "canny", "path": Path("/models/canny")}},
        outbound_allow=("10.1.0.0/16",),
        outbound_ports=(80, 8080),
        watermark_old_secrets=("ab" * 16, {"secret": "cd" * 16, "last_epoch": 1}),
        webhook_secrets={"studio": [SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]},
        webhook_schedule=(0, 1.5),
    )
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_a_busy_port_is_told_in_words() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port} on 127.0.0.1 is taken"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def test_port_0_is_known_once_it_is_bound() -> None:
    with listen("127.0.0.1", 0) as bound:
        assert url_of(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_loopback_is_told_from_the_world(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_open_door_without_keys_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["up", "--host", "0.0.0.0", "--port", "0", "--home", str(tmp_path / "home")]) == 1
    assert "refusing to listen on 0.0.0.0 without API keys" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_a_key_is_known_by_its_digest_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["key", "studio"]) == 0
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    name, _, value = told["setting"].partition("=")
    assert name == "DARKROOM_API_KEYS"
    assert json.loads(value.strip("'")) == {hashlib.sha256(told["key"].encode()).hexdigest(): "studio"}
    assert told["key"] not in told["setting"]


@pytest.mark.slow
@pytest.mark.parametrize("package", ["api", "worker"])
def test_a_stranger_of_the_same_name_is_refused(package: str, tmp_path: Path) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("raise SystemExit('the stranger ran')")
    ended = subprocess.run(
        [sys.executable, "-m", "darkroom", package], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 78
    assert ended.stderr.startswith(f"darkroom: refusing the stranger {tmp_path.resolve() / package}")
