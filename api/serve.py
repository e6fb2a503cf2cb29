"""The gateway as a process: uvicorn with limits, our own log, and a stop that does not wait for listeners."""

import asyncio
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.connections import DeadlineProtocol
from darkroom.services import build_gateway_services
from darkroom.settings import Settings

KEEP_ALIVE_SECONDS = 5
GRACE_SECONDS = 10
MAX_CONNECTIONS = 2_000
MAX_HEAD_BYTES = 16 * 1024
BACKLOG = 2_048


def serve(settings: Settings, listening: socket.socket | None = None) -> None:
    """Serve until SIGTERM or SIGINT, on `listening` if given, else on `settings.host` and `.port`.

    Raises: ConfigurationError before anything is served.
    """
    services = build_gateway_services(settings)
    Gateway(create_app(services), settings).run(sockets=None if listening is None else [listening])


class Gateway(uvicorn.Server):
    """A server whose open event streams end when it is told to stop: their clients resume elsewhere."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        super().__init__(configuration(app, settings))
        self._stopping: asyncio.Event = app.state.stopping

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
