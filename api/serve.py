"""The gateway as a process: uvicorn with limits, our own log, and a stop that does not wait for listeners."""

import asyncio
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.connections import DeadlineProtocol
from api.memory import give_back_large_blocks
from darkroom import crash
from darkroom.errors import ConfigurationError, UnavailableError
from darkroom.log import get_logger
from darkroom.services import Services, build_gateway_services, check_start
from darkroom.services.traces import traces
from darkroom.settings import Settings

KEEP_ALIVE_SECONDS = 5
GRACE_SECONDS = 10
MAX_CONNECTIONS = 2_000
MAX_HEAD_BYTES = 16 * 1024
BACKLOG = 2_048
AGAIN_SECONDS = 2.0

_log = get_logger(__name__)


def serve(settings: Settings, listening: socket.socket | None = None) -> None:
    """Serve until SIGTERM or SIGINT, on `listening` if given, else on `settings.host` and `.port`.

    Raises: ConfigurationError before anything is served.
    """
    crash.arm(settings.crash_at)
    give_back_large_blocks()
    gateway = Gateway(build_gateway_services(settings))
    with traces(settings, "gateway"):
        gateway.run(sockets=None if listening is None else [listening])


class Gateway(uvicorn.Server):
    """A server that refuses to start on a ledger that would lose jobs, and whose event streams end when it is told to
    stop: their clients resume elsewhere."""

    def __init__(self, services: Services) -> None:
        app = create_app(services)
        super().__init__(configuration(app, services.settings))
        self._services = services
        self._stopping: asyncio.Event = app.state.stopping
        self._waits = False
        self._unfit: ConfigurationError | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Raises: ConfigurationError, also later, where what was away at the start is not fit when it comes back."""
        if await self._checked():
            await super().serve(sockets)
            return
        async with asyncio.TaskGroup() as tasks:
            checking = tasks.create_task(self._check_again())
            await super().serve(sockets)
            checking.cancel()
        if self._unfit:
            raise self._unfit

    async def _checked(self) -> bool:
        """Raises: ConfigurationError. What is merely away may come back: `/readyz` says so until then."""
        try:
            warnings = await check_start(self._services)
        except UnavailableError as error:
            if not self._waits:
                _log.warning("gateway.waits", code=error.code, reason=error.detail)
            self._waits = True
            return False
        settings = self._services.settings
        if not settings.api_keys and not settings.allow_anonymous:
            warnings = (*warnings, "DARKROOM_API_KEYS is empty: every request is 401; `darkroom key` makes one")
        for warning in warnings:
            _log.warning("gateway.warned", reason=warning)
        return True

    async def _check_again(self) -> None:
        fit = False
        try:
            while not fit:
                await asyncio.sleep(AGAIN_SECONDS)
                fit = await self._checked()
        except ConfigurationError as error:
            self._unfit = error
            self.should_exit = True  # not by a signal, which uvicorn would have end us once more
            self._stopping.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._stopping.set()


def configuration(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=DeadlineProtocol,
        ws="none",
        proxy_headers=False,  # who we are is `public_url`, not what a header claims
        server_header=False,
        access_log=False,
        log_config=None,
        backlog=BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
