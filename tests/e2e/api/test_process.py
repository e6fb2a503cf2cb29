"""The gateway as a process of its own: light, without torch, and quick to stop."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from darkroom.ledger.server import LocalRedis, free_port
from tests.gateway import GENERATIONS

MEBIBYTE = 1024
MOST_RESIDENT_KB = 150 * MEBIBYTE

# Whoever looks for one of these is told that there is none.
REFUSING = """
import sys
from importlib.abc import MetaPathFinder

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "diffusers", "transformers", "peft", "safetensors"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refuse())
"""

SERVING = """
from api.serve import serve
from darkroom.log import configure_logging
from darkroom.settings import Settings

configure_logging(service="gateway")
serve(Settings())
"""


def test_the_gateway_imports_with_torch_refused() -> None:
    code = REFUSING + "import api.app, api.serve, darkroom.services; assert 'worker' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@dataclass(frozen=True)
class Process:
    url: str
    popen: "subprocess.Popen[bytes]"
    log: Path

    def resident_kb(self) -> int:
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        (found,) = re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        return int(found)


@contextmanager
def process(home: Path, redis_url: str) -> Iterator[Process]:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")} | {
        "DARKROOM_HOME": str(home),
        "DARKROOM_REDIS_URL": redis_url,
        "DARKROOM_PORT": str(port),
        "DARKROOM_ALLOW_ANONYMOUS": "true",
    }
    log = home / "gateway.log"
    with log.open("wb") as output:
        popen = subprocess.Popen([sys.executable, "-c", REFUSING + SERVING], env=environment, stderr=output)
    running = Process(f"http://127.0.0.1:{port}", popen, log)
    try:
        wait_until_ready(running)
        yield running
    finally:
        popen.kill()
        popen.wait()


def wait_until_ready(running: Process) -> None:
    for _ in range(600):
        assert running.popen.poll() is None, running.log.read_text()
        try:
            httpx.get(f"{running.url}/readyz", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(running.log.read_text())


def picture(tmp_path: Path) -> bytes:
    path = tmp_path / "noise.png"
    pixels = np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Process]:
    with LocalRedis(tmp_path / "valkey", appendfsync="no") as redis, process(tmp_path, redis.url) as running:
        yield running


@pytest.mark.slow
def test_it_is_light_after_it_has_worked_and_stops_at_once(running: Process, tmp_path: Path) -> None:
    with httpx.Client(base_url=running.url, trust_env=False, timeout=30) as client:
        job = client.post(GENERATIONS, json={"prompt": "a red circle"}).json()
        for path in ("/readyz", "/metrics", "/openapi.json", "/api/v1/capabilities", GENERATIONS):
            assert client.get(path).status_code == 200
        for _ in range(2):
            verdict = client.post("/api/v1/provenance/verify", files={"file": ("a.png", picture(tmp_path))})
            assert verdict.json()["state"] == "no_evidence", verdict.text
        assert running.resident_kb() < MOST_RESIDENT_KB

        # An open event stream does not keep a stopping server.
        heard: list[str] = []
        listening = threading.Thread(target=lambda: heard.append(client.get(job["links"]["events"]).text))
        listening.start()
        time.sleep(0.5)
        started = time.monotonic()
        running.popen.send_signal(signal.SIGTERM)
        running.popen.wait(10)
        assert time.monotonic() - started < 5
        listening.join(5)
        assert "event: queued" in heard[0]
    assert "red circle" not in running.log.read_text()
    assert "Traceback" not in running.log.read_text()
