"""The gateway as a process of its own: light, without torch, and quick to stop."""

import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from darkroom.inputs.normal import MAX_PIXELS
from darkroom.ledger.server import LocalRedis
from darkroom.provenance.pictures import BYTES_PER_PIXEL, MOST_BYTES
from tests.gateway import GENERATIONS
from tests.servers.gateway_process import REFUSING, Process, process, watched

pytestmark = pytest.mark.timed

MEBIBYTE = 1024
MOST_RESIDENT_KB = 150 * MEBIBYTE
MOST_MORE_KB = 200 * MEBIBYTE  # that a picture may cost, in all processes together


def test_the_gateway_imports_with_torch_refused() -> None:
    code = REFUSING + "import api.app, api.serve, darkroom.services; assert 'worker' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def picture(tmp_path: Path) -> bytes:
    path = tmp_path / "noise.png"
    pixels = np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


def largest(media: str, mode: str) -> bytes:
    """The largest picture that is read, in the mode that costs most."""
    side = int(((MOST_BYTES - 4_000_000) / BYTES_PER_PIXEL[media]) ** 0.5)
    steps = np.arange(side, dtype=np.uint8)
    pixels = np.stack([steps[None, :] + 0 * steps[:, None], steps[:, None] ^ steps[None, :]] * 2, axis=-1)
    buffer = io.BytesIO()
    options = {"JPEG": {"progressive": True}, "WEBP": {"method": 0}, "PNG": {"compress_level": 1}}[media]
    Image.fromarray(pixels).convert(mode).save(buffer, media, **options)
    return buffer.getvalue()


def telephoned() -> bytes:
    """As large as an input may be, and transparent."""
    steps = np.arange(4096, dtype=np.uint8)
    pixels = np.stack([steps] * 4, axis=-1)[None].repeat(MAX_PIXELS // 4096, axis=0)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


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


@pytest.mark.slow
def test_the_largest_pictures_four_at_once_cost_little_and_leave_nothing(running: Process, tmp_path: Path) -> None:
    with httpx.Client(base_url=running.url, trust_env=False, timeout=120) as client:

        def verify(data: bytes) -> tuple[int, str]:
            answer = client.post("/api/v1/provenance/verify", content=data, headers={"Content-Type": "image/png"})
            return answer.status_code, answer.json().get("state", answer.text)

        verify(picture(tmp_path))  # starts the process that looks at pictures
        crowd = [largest("WEBP", "RGBA")] * 4, [largest("PNG", "RGBA"), largest("JPEG", "CMYK")] * 2
        before = running.family_kb()
        with watched(running) as seen, ThreadPoolExecutor(4) as threads:
            for pictures in crowd:
                assert set(threads.map(verify, pictures)) == {(200, "no_evidence")}
        assert running.resident_kb("VmHWM") < MOST_RESIDENT_KB
        assert max(seen) - before < MOST_MORE_KB
        assert max(seen) - before > MOST_MORE_KB / 3, "else these are not the largest"
        assert running.family_kb() - before < 40 * MEBIBYTE


@pytest.mark.slow
def test_the_largest_inputs_leave_nothing(running: Process) -> None:
    data = telephoned()
    with httpx.Client(base_url=running.url, trust_env=False, timeout=60) as client, ThreadPoolExecutor(4) as threads:

        def keep(_: int) -> int:
            return client.post("/api/v1/assets", content=data, headers={"Content-Type": "image/png"}).status_code

        assert list(threads.map(keep, range(8))) == [201] * 8
        assert running.resident_kb() < MOST_RESIDENT_KB
