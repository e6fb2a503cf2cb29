"""`darkroom up`: everything comes up, stays up, and goes away."""

import os
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.e2e.demo.service import DARKROOM, up, wait_until_gone

pytestmark = pytest.mark.slow


def make_a_picture(url: str) -> dict[str, object]:
    answer = httpx.post(
        f"{url}/api/v1/generations",
        json={"prompt": "a red circle on a white background", "steps": 4},
        headers={"Prefer": "wait=60"},
        timeout=70,
    )
    made: dict[str, object] = answer.json()
    return made


def test_sigterm_stops_everything_in_order(tmp_path: Path) -> None:
    with up(tmp_path) as service:
        taken = httpx.URL(service.url).port
        second = subprocess.run(
            [DARKROOM, "up", "--port", str(taken), "--home", str(tmp_path / "other")], capture_output=True, text=True
        )
        assert (second.returncode, second.stderr.count("\n")) == (1, 1)
        assert f"port {taken} on 127.0.0.1 is taken" in second.stderr

        same_home = subprocess.run(
            [DARKROOM, "up", "--port", "0"], env=service.environment, capture_output=True, text=True
        )
        assert (same_home.returncode, same_home.stderr.count("\n")) == (1, 1)
        assert "already runs in" in same_home.stderr

        service.process.terminate()
        assert service.process.wait(60) == 0
        assert wait_until_gone(service.environment, 0.0) == {}


def test_it_survives_the_death_of_each_part_and_leaves_nothing_when_it_dies_itself(tmp_path: Path) -> None:
    with up(tmp_path) as service:
        first = make_a_picture(service.url)
        assert first["state"] == "succeeded", first
        for part in ("valkey-server", "darkroom worker", "darkroom api", "darkroom courier"):
            os.kill(service.pid_of(part), signal.SIGKILL)
        wait_for_livez(service.url)
        assert httpx.get(f"{service.url}/api/v1/generations/{first['id']}").json()["state"] == "succeeded"
        assert make_a_picture(service.url)["state"] == "succeeded"

        service.process.kill()
        assert wait_until_gone(service.environment) == {}


def wait_for_livez(url: str) -> None:
    """The listening socket outlives the gateway, so a request simply waits for the next one."""
    assert httpx.get(f"{url}/livez", timeout=30).json() == {"alive": True}
