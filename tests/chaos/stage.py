"""The service under test: real processes over a real Valkey and a real S3 server, each behind a proxy that can fail."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from darkroom.cli.config import as_environment
from darkroom.ledger.server import LocalRedis, free_port
from darkroom.lifeline import before_exec
from darkroom.settings import Settings
from tests.servers.seaweedfs import run_seaweedfs
from tests.servers.tcp_proxy import TcpProxy, tcp_proxy

TENANTS = ("ann", "bob", "cleo", "dan")
API_KEYS = {tenant: f"dk_{tenant}_chaos" for tenant in TENANTS}


@dataclass
class Process:
    """One process that is started again whenever it has ended. `killed` counts SIGKILLs, its own included."""

    name: str
    command: Sequence[str]
    settings: Settings
    log: Path
    crash_points: dict[str, int] = field(default_factory=dict)
    share: float = 0.0
    draws: random.Random = field(default_factory=random.Random)
    killed: int = 0
    killed_at: dict[str, int] = field(default_factory=dict)
    odd_ends: list[int] = field(default_factory=list)
    crash_at: str | None = None
    popen: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.crash_at = self._next_crash()
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                self.command,
                env=environment(self.settings.model_copy(update={"crash_at": self.crash_at})),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=before_exec(os.getpid()),
            )

    def _next_crash(self) -> str | None:
        if not self.crash_points or self.draws.random() >= self.share:
            return None
        point = self.draws.choice(sorted(self.crash_points))
        return f"{point}:{self.draws.randint(1, self.crash_points[point])}"

    @property
    def pid(self) -> int:
        assert self.popen is not None
        return self.popen.pid

    def kill(self) -> None:
        """SIGKILL, and wait until it is dead. It is noted when it is started again."""
        assert self.popen is not None
        if self.popen.poll() is None:
            self.crash_at = None  # not its own doing
            self.popen.kill()
        self.popen.wait()

    def revive(self) -> bool:
        """Start it again if it has ended; says whether."""
        assert self.popen is not None
        if (code := self.popen.poll()) is None:
            return False
        self.note_end(code)
        self.start()
        return True

    def note_end(self, code: int) -> None:
        if code == -signal.SIGKILL:
            how = self.crash_at.partition(":")[0] if self.crash_at else "from_outside"
            self.killed += 1
            self.killed_at[how] = self.killed_at.get(how, 0) + 1
        else:
            self.odd_ends.append(code)

    def stop(self) -> None:
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()


def environment(settings: Settings) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    return inherited | as_environment(settings) | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass
class Stage:
    """Everything that runs. Workers past `forked` of them start fresh interpreters."""

    folder: Path
    settings: Settings  # as the processes have them, through the proxies
    redis: LocalRedis
    redis_proxy: TcpProxy
    store_proxy: TcpProxy
    gateways: list[Process] = field(default_factory=list)
    workers: list[Process] = field(default_factory=list)
    couriers: list[Process] = field(default_factory=list)
    redis_kills: int = 0

    @property
    def direct(self) -> Settings:
        """The settings of whoever looks behind the proxies."""
        changed = {"redis_url": SecretStr(self.redis.url), "s3_endpoint": self.store_endpoint}
        return self.settings.model_copy(update=changed)

    store_endpoint: str = ""

    @property
    def processes(self) -> list[Process]:
        return [*self.gateways, *self.workers, *self.couriers]

    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{gateway.settings.port}" for gateway in self.gateways]

    def lives(self) -> list[dict[str, Any]]:
        """What the supervisors noted of their children."""
        path = self.settings.home_folder / "lives.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def child_of(self, worker: Process) -> dict[str, Any] | None:
        """The latest child of a supervisor, unless it has died."""
        children: dict[str, dict[str, Any]] = {}
        for life in self.lives():
            if life["event"] == "born" and life["supervisor"] == worker.pid:
                children = {life["worker"]: life}
            elif life["event"] == "died":
                children.pop(life["worker"], None)
        return next(iter(children.values()), None)

    def kill_redis(self) -> None:
        """SIGKILL, then a restart on the same append-only file."""
        os.kill(self.redis.pid, signal.SIGKILL)
        while self.redis.running:
            time.sleep(0.005)
        self.redis.stop()
        self.redis.start(timeout=60)
        self.redis_kills += 1


@contextmanager
def stage(folder: Path, seed: int, forked: int, fresh: int, share: float, **changed: Any) -> Iterator[Stage]:
    """Everything started; killed at the end."""
    with ExitStack() as stack:
        redis = stack.enter_context(LocalRedis(folder / "valkey", appendfsync="always"))
        s3 = stack.enter_context(run_seaweedfs(folder / "s3"))
        redis_proxy = stack.enter_context(tcp_proxy(redis.port))
        store_proxy = stack.enter_context(tcp_proxy(urlsplit(s3.endpoint).port or 0))
        settings = Settings(
            home=folder / "home",
            redis_url=SecretStr(f"redis://127.0.0.1:{redis_proxy.port}/0"),
            api_keys={hashlib.sha256(key.encode()).hexdigest(): tenant for tenant, key in API_KEYS.items()},
            **{**s3.settings(), "s3_endpoint": f"http://127.0.0.1:{store_proxy.port}", "threads": 1, **changed},
        )
        settings.home_folder.mkdir(parents=True)
        standing = Stage(folder, settings, redis, redis_proxy, store_proxy, store_endpoint=s3.endpoint)
        _cast(standing, seed, forked, fresh, share)
        try:
            for process in standing.processes:
                process.start()
            yield standing
        finally:
            for process in standing.processes:
                process.stop()


def _cast(standing: Stage, seed: int, forked: int, fresh: int, share: float) -> None:
    def process(role: str, number: int, *command: str, points: dict[str, int], **changed: Any) -> Process:
        name = f"{role}-{number}"
        return Process(
            name,
            (sys.executable, "-P", "-m", *command) if role != "worker" else (sys.executable, "-m", *command),
            standing.settings.model_copy(update=changed),
            standing.folder / f"{name}.log",
            points,
            share,
            random.Random(f"{seed}:{name}"),
        )

    for number in range(2):
        reply = {"after_commit_before_reply": 60}
        gateway = process("gateway", number, "darkroom", "api", points=reply, port=free_port())
        standing.gateways.append(gateway)
        sent = {"webhook_sent_unmarked": 40}
        standing.couriers.append(process("courier", number, "darkroom", "courier", points=sent))
    for number in range(forked + fresh):
        kind = "forked" if number < forked else "fresh"
        command = ("tests.chaos.crashing", f"{seed}:{number}", str(share), kind)
        worker = process("worker", number, *command, points={}, standby=kind == "fresh")
        standing.workers.append(worker)
