"""`darkroom pull` from a hub on loopback, and then everything without one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.catalog import embedded_model_folder
from darkroom.catalog.registry import embedded_loras
from tests.servers.hub import Hub, hub

pytestmark = pytest.mark.slow

TOKEN = "hf_secret_0123456789"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Hub]:
    model = shutil.copytree(embedded_model_folder(), tmp_path / "model")
    (model / "unet" / "modeling.py").write_text("raise SystemExit")
    (model / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    (model / "model.ckpt").write_bytes(b"pickle")
    with hub({"owner/model": model, "owner/lora": embedded_loras()["outline"].parent}) as served:
        yield served


def run(command: str, tmp_path: Path, url: str, **settings: object) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "0",  # as it is before a worker was imported
        "HF_HUB_CACHE": str(tmp_path / "cache"),
        "HF_ENDPOINT": url,
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DARKROOM_HOME": str(tmp_path / "home"),
        **{f"DARKROOM_{name.upper()}": json.dumps(value) for name, value in settings.items()},
    }
    line = [sys.executable, "-P", "-m", "darkroom", *command.split()]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)


SETTINGS = {"models": {"art": "hf:owner/model"}, "loras": {"ink": "hf:owner/lora:outline.safetensors"}}


def test_what_is_pulled_is_served_without_a_network(served: Hub, tmp_path: Path) -> None:
    before = run("doctor", tmp_path, served.url, **SETTINGS)
    assert "art: hf:owner/model@main: not downloaded: run `darkroom pull`" in before.stdout
    assert served.asked == [], "only pull reaches the hub"

    pulled = run("pull", tmp_path, served.url, **SETTINGS)

    assert pulled.returncode == 0, pulled.stderr
    assert pulled.stdout.splitlines() == [
        f"models art: owner/model at {served.commit}",
        f"loras ink: owner/lora at {served.commit}",
    ]
    assert not [path for path in served.asked if path.endswith((".py", ".bin", ".ckpt"))]
    assert f"Bearer {TOKEN}" in served.tokens
    assert TOKEN not in pulled.stdout + pulled.stderr

    after = run("doctor", tmp_path, "http://127.0.0.1:9", **SETTINGS)
    assert f"art: 3 weight files, commit {served.commit}" in after.stdout
    assert "LoRA ink: for art, tiny" in after.stdout


def test_a_pinned_commit_that_is_there_needs_no_hub(served: Hub, tmp_path: Path) -> None:
    pinned = {"models": {"art": f"hf:owner/model@{served.commit}"}}
    assert run("pull", tmp_path, served.url, **pinned).returncode == 0

    again = run("pull", tmp_path, "http://127.0.0.1:9", **pinned)

    assert (again.returncode, again.stderr) == (0, "")
    assert served.commit in again.stdout


def test_a_hub_that_is_away_is_said_in_one_line(tmp_path: Path) -> None:
    pulled = run("pull", tmp_path, "http://127.0.0.1:9", models={"art": "hf:owner/model"})

    assert pulled.returncode == 1
    assert pulled.stderr == "models art: hf:owner/model@main: could not be downloaded (ConnectError)\n"


def test_what_cannot_be_had_is_named_and_does_not_keep_the_rest_away(served: Hub, tmp_path: Path) -> None:
    models = {"gone": "hf:owner/gone", "art": "hf:owner/model"}

    pulled = run("pull", tmp_path, served.url, models=models)

    assert pulled.returncode == 1
    assert pulled.stderr.startswith("models gone: hf:owner/gone@main: the hub answered 404")
    assert "models art: owner/model at" in pulled.stdout
    assert TOKEN not in pulled.stdout + pulled.stderr
