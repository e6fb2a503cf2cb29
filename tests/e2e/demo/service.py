"""`darkroom up` as a process of a test, and what becomes of the processes it started."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

DARKROOM = str(Path(sys.executable).with_name("darkroom"))


@dataclass(frozen=True)
class Up:
    """A running `darkroom up`. `environment` marks every process that came of it."""

    process: "subprocess.Popen[str]"
    url: str
    environment: dict[str, str]

    def pid_of(self, words: str) -> int:
        """The process among its own whose command line has these words."""
        (pid,) = [pid for pid, line in processes_of(self.environment).items() if words in line]
        return pid


def bare_environment(home: Path) -> dict[str, str]:
    """No setting of whoever runs the tests, and a home directory of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    return {**kept, "HOME": str(home), "OMP_NUM_THREADS": "1"}


def processes_of(environment: dict[str, str]) -> dict[int, str]:
    """pid -> command line of the processes that were given this environment and still run."""
    found: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if _belongs(process, environment["HOME"]):
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
    return found


def _belongs(process: Path, home: str) -> bool:
    """By its environment, or by its folder: Valkey writes its title over its environment, and works in its data."""
    given = b"\0" + (process / "environ").read_bytes()
    return f"\0HOME={home}\0".encode() in given or (process / "cwd").readlink().is_relative_to(home)


def wait_until_gone(environment: dict[str, str], seconds: float = 10.0) -> dict[int, str]:
    """What is left of the processes after at most so long."""
    until = time.monotonic() + seconds
    while (left := processes_of(environment)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


@contextmanager
def up(home: Path, **settings: str) -> Iterator[Up]:
    """Start, wait until it says it is open, and stop by SIGTERM if it still runs."""
    environment = bare_environment(home) | settings
    process = subprocess.Popen(
        [DARKROOM, "up", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield Up(process, _url_told_by(process), environment)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _url_told_by(process: "subprocess.Popen[str]") -> str:
    assert process.stderr
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"is open at (\S+)$", line):
            return found[1]
    raise AssertionError("".join(said))
