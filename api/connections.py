"""uvicorn's HTTP protocol with the deadlines it lacks, so that silent sockets do not pile up."""

import asyncio
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.errors import headers_of
from api.hardening import HardenedHeaders
from api.problems import MEDIA_TYPE, answer, problem_of
from darkroom.errors import CapacityError, MalformedRequest
from darkroom.log import get_logger

_log = get_logger(__name__)

HEADER_SECONDS = 10.0
# After an early refusal we go on reading for a moment: closing at once would destroy the answer on its way.
LINGER_SECONDS = 2.0


class DeadlineProtocol(H11Protocol):
    """Closes a connection whose request head does not arrive in time, or whose refused body does not end.

    Bodies that are being read have deadlines in `api.body`; idle connections have uvicorn's keep-alive.
    """

    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's own refusal is plain text, and does not say when to come back.
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._served, self.app = self.app, self._within_limit

    async def _within_limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        crowded = self._most is not None and len(self.connections) > self._most
        await (_refuse if crowded else self._served)(scope, receive, send)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm(HEADER_SECONDS)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            if self._answering():
                self._disarm()
        elif self._deadline is None:
            self._arm(HEADER_SECONDS)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._arm(LINGER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, as a problem like every other."""
        body = problem_of(MalformedRequest(msg)).model_dump_json(exclude_none=True).encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        events: list[Any] = [h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()]
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:
    """These requests reach no other code of ours that could tell of them."""
    error = CapacityError("too many connections are open")
    _log.warning("request.crowded_out", method=scope["method"], status=error.status)
    await answer(problem_of(error), {**headers_of(error), "Connection": "close"})(scope, receive, send)


_refuse = HardenedHeaders(_too_many)
