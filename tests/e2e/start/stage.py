"""What a start is tried on."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from darkroom.ledger.server import find_server_binary, free_port
from darkroom.lifeline import before_exec

START_SECONDS = 60.0
Environment = Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    """Servers to be refused by: one that is well, one that evicts, one that knows users of which each lacks HGETALL."""

    redis: str
    evicting: str
    guarded: int
    s3: Environment
    passwords: Mapping[str, str] = field(repr=False)

    def user(self, password: str, name: str = "gateway") -> Environment:
        return {"DARKROOM_REDIS_URL": f"redis://{name}:{password}@127.0.0.1:{self.guarded}/0"}


@contextmanager
def valkey(folder: Path, *options: str) -> Iterator[int]:
    port = free_port()
    folder.mkdir()
    command = [find_server_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*command, *options], stdout=log, stderr=log, preexec_fn=before_exec(os.getpid()))
    try:
        yield port
    finally:
        server.kill()
        server.wait()


def environment(home: Path, given: Environment) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    ours = {"DARKROOM_HOME": str(home), "DARKROOM_PORT": str(free_port()), "DARKROOM_STANDBY": "false"}
    return inherited | ours | {"DARKROOM_THREADS": "1"} | dict(given)


@contextmanager
def begun(part: str, home: Path, given: Environment) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-P", "-m", "darkroom", part]
    process = subprocess.Popen(
        command,
        env=environment(home, given),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=before_exec(os.getpid()),
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=START_SECONDS)
