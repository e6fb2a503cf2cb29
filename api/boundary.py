"""The outermost wall: names each request, counts and logs it, and turns accidents into a 500 that says nothing."""

import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from ulid import ULID

from api.dialects.shapes import Shapes
from api.problems import problem_of
from api.traced import tell, traced
from darkroom.errors import DarkroomError
from darkroom.log import get_logger
from darkroom.metrics import Metrics

# nginx's word for it; never sent.
CALLER_HUNG_UP = 499

_log = get_logger(__name__)


class Boundary:
    """Pure ASGI. Logs the route's template, never the path, the query or the body: those may hold what is private."""

    def __init__(self, app: ASGIApp, metrics: Metrics, shapes: Shapes) -> None:
        self._app = app
        self._metrics = metrics
        self._shapes = shapes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        started = time.perf_counter()
        with traced(scope):
            try:
                await self._app(scope, receive, exchange.send)
            except Exception as error:  # noqa: BLE001 - the last wall: nothing may pass it
                await exchange.fail(error, self._shapes)
            finally:
                self._record(exchange, started)

    def _record(self, exchange: "_Exchange", started: float) -> None:
        """Metrics have the time to the answer's head: a stream of events lasts as long as somebody listens."""
        seconds = time.perf_counter() - started
        route: str | None = getattr(exchange.scope.get("route"), "path_format", None)
        method, status = exchange.scope["method"], exchange.status or CALLER_HUNG_UP
        until_head = seconds if exchange.began is None else exchange.began - started
        self._metrics.answered(route=route, method=method, status=status, seconds=until_head)
        tell(exchange.scope, route=route, status=status, request=exchange.id)
        _log.info(
            "request.answered",
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            request=exchange.id,
            tenant=exchange.scope["state"].get("tenant"),
        )


class _Exchange:
    """One request and what was answered; `began` is when, by `time.perf_counter`."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.id = str(ULID())
        self.scope = scope
        self.status: int | None = None
        self.began: float | None = None
        self._send = send
        scope.setdefault("state", {})["request_id"] = self.id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.began = message["status"], time.perf_counter()
            message["headers"] = [*message["headers"], (b"x-request-id", self.id.encode())]
        await self._send(message)

    async def fail(self, error: Exception, shapes: Shapes) -> None:
        """Log what happened, without the error's message, which may quote the request; answer if that still helps."""
        _log.error("request.broke", request=self.id, error=type(error).__name__, where=_frames(error))
        if self.status is not None:
            return  # half an answer is out: the server sees that it is unfinished, and cuts the connection
        described = problem_of(DarkroomError("something went wrong here; the incident names our log lines"))
        response = shapes.answer(self.scope["path"], described.model_copy(update={"incident": self.id}))
        await response(self.scope, _nothing, self.send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _frames(error: BaseException) -> list[str]:
    """Where it happened, innermost last, by module rather than by this machine's paths."""
    return [
        f"{frame.f_globals.get('__name__', '?')}:{line}"
        for frame, line in list(traceback.walk_tb(error.__traceback__))[-8:]
    ]
