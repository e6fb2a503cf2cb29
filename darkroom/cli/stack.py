"""All of darkroom on one machine: embedded Valkey, gateway, worker and courier, as children of this process."""

import asyncio
import fcntl
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from darkroom.cli.config import as_environment
from darkroom.cli.listen import listen, url_of
from darkroom.cli.processes import Child, stop_all, trim_log
from darkroom.cli.sibling import sibling
from darkroom.errors import ConfigurationError, UnavailableError
from darkroom.ledger.server import LocalRedis
from darkroom.loopback import is_loopback
from darkroom.services import build_gateway_services, check_start
from darkroom.services.keys import open_keys
from darkroom.services.webhook_secrets import with_kept_secret
from darkroom.settings import Settings

if TYPE_CHECKING:
    from worker.status import Status

READY_SECONDS = 120.0
GRACE_BEYOND_DRAIN = 10.0


@dataclass(frozen=True)
class Stack:
    """A running service. `url` is the gateway as this machine reaches it; `valkey` is None when Redis is another's."""

    url: str
    settings: Settings
    children: tuple[Child, ...]
    valkey: LocalRedis | None

    def check_alive(self) -> None:
        """Raise UnavailableError, with its last words, if a process has ended."""
        for child in self.children:
            if child.returncode is not None:
                raise UnavailableError(f"the {child.name} ended ({child.returncode}): {child.last_words()}")

    def worker_status(self) -> "Status | None":
        """What the worker says of itself; None while there is none."""
        statuses = _worker_statuses(self.settings)
        return statuses[-1] if statuses else None

    def _logs(self) -> list[Path]:
        own = [self.valkey.log] if self.valkey else []
        return [*own, *(child.log for child in self.children)]

    def tend(self) -> None:
        """Keep logs short and start again what has ended; the ledger's file and the leases bring its jobs back.

        Raises: UnavailableError for a process that keeps ending.
        """
        for log in self._logs():
            trim_log(log)
        if self.valkey and not self.valkey.running:
            self.valkey.start()
        for child in self.children:
            if not child.revive():
                raise UnavailableError(f"the {child.name} keeps ending ({child.returncode}): {child.last_words()}")


@contextmanager
def running(settings: Settings, on_stage: Callable[[str], None] = lambda _: None) -> Iterator[Stack]:
    """Start everything, wait until it serves, stop everything on the way out. SIGTERM interrupts as Ctrl-C does.

    A Redis named in the settings is used as it is; otherwise a Valkey of our own keeps its files in `home`.
    Raises: ConfigurationError, or UnavailableError when ledger or store are away or a process does not come up.
    """
    _refuse_open_door(settings)
    with ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.default_int_handler))
        listening = stack.enter_context(listen(settings.host, settings.port))
        home = _make_home(settings)
        stack.enter_context(_only_one(home))
        settings = with_kept_secret(settings)
        valkey = _own_valkey(settings, home)
        if valkey:
            on_stage("ledger")
            stack.enter_context(valkey)
            settings = settings.model_copy(update={"redis_url": SecretStr(valkey.url)})
        asyncio.run(_check(settings))
        children = _children(settings, listening, home / "logs")
        stack.callback(stop_all, children, settings.drain_seconds + GRACE_BEYOND_DRAIN)
        for child in children:
            child.start()
        on_stage("gateway and worker")
        service = Stack(url_of(listening), settings, children, valkey)
        wait_until_ready(service)
        yield service


def _refuse_open_door(settings: Settings) -> None:
    if not is_loopback(settings.host) and not settings.api_keys:
        raise ConfigurationError(
            f"refusing to listen on {settings.host} without API keys: "
            "`darkroom key` makes one, DARKROOM_API_KEYS names it"
        )


def _make_home(settings: Settings) -> Path:
    home = settings.home_folder.absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "logs").mkdir(exist_ok=True)
    return home


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Two services in one home would write one append-only file. The lock goes when we end, however we end."""
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"darkroom already runs in {home}: stop it, or set another DARKROOM_HOME"
            ) from None
        yield


def _own_valkey(settings: Settings, home: Path) -> LocalRedis | None:
    if "redis_url" in settings.model_fields_set:
        return None
    return LocalRedis(home / "valkey", port=0, appendfsync="always")


async def _check(settings: Settings) -> None:
    """What every process would find wrong, found once and before any of them starts."""
    open_keys(settings)  # the worker's, while a person is still looking
    services = build_gateway_services(settings)
    try:
        await check_start(services)
    finally:
        await services.close()


def _children(settings: Settings, listening: socket.socket, logs: Path) -> tuple[Child, ...]:
    environment = as_environment(settings)
    unsigning = {name: value for name, value in environment.items() if name != "DARKROOM_WEBHOOK_SECRETS"}
    fd = listening.fileno()
    return (
        Child(["api", "--fd", str(fd)], environment, logs / "api.log", fds=(fd,)),
        Child(["worker"], unsigning, logs / "worker.log"),
        Child(["courier"], environment, logs / "courier.log"),
    )


def wait_until_ready(service: Stack, seconds: float = READY_SECONDS) -> None:
    """Return when the gateway and a worker are ready.

    Raises: UnavailableError when a child ends first, a worker says why it cannot serve, or the time is up.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        service.check_alive()
        if _worker_is_ready(service.settings) and _gateway_is_ready(service.url):
            return
        time.sleep(0.1)
    raise UnavailableError(f"not ready within {seconds:.0f} s: see {service.settings.home_folder}/logs")


def _gateway_is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _worker_is_ready(settings: Settings) -> bool:
    statuses = _worker_statuses(settings)
    for status in statuses:
        if status.state == "failed":
            raise UnavailableError(f"the worker cannot serve: {status.detail}")
    return any(status.state == "ready" for status in statuses)


def _worker_statuses(settings: Settings) -> "list[Status]":
    with sibling("worker"):
        from worker.status import read_statuses, run_folder
    return read_statuses(run_folder(settings.home_folder))
