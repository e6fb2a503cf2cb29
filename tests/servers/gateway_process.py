"""The gateway as a process of its own, without torch, and what it and its children take of memory."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from darkroom.ledger.server import free_port

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

ANONYMOUS = {"DARKROOM_ALLOW_ANONYMOUS": "true"}


@dataclass(frozen=True)
class Process:
    url: str
    popen: "subprocess.Popen[bytes]"
    log: Path

    def resident_kb(self, what: str = "VmRSS") -> int:
        """Of the gateway itself; `VmHWM` is the most it ever was."""
        return _memory_kb(self.popen.pid, what)

    def family_kb(self) -> int:
        """Of the gateway and its children."""
        children = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text().split()
        return self.resident_kb() + sum(_memory_kb(int(child), "VmRSS") for child in children)


def _memory_kb(pid: int, what: str) -> int:
    """0 for a process that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(map(int, re.findall(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)))


@contextmanager
def process(home: Path, redis_url: str, settings: Mapping[str, str] = ANONYMOUS) -> Iterator[Process]:
    port = free_port()
    environment = (
        {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
        | {
            "DARKROOM_HOME": str(home),
            "DARKROOM_REDIS_URL": redis_url,
            "DARKROOM_PORT": str(port),
        }
        | dict(settings)
    )
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


@contextmanager
def watched(running: Process) -> Iterator[list[int]]:
    """The memory of the family, looked at again and again."""
    seen, over = [running.family_kb()], threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            seen.append(running.family_kb())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        over.set()
        watching.join()
