"""A job's history as server-sent events. The ids are the ledger's own, so a client resumes where it was cut off."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.desk import Crowd
from darkroom.contract.job import Job, JobEvent, JobState
from darkroom.errors import DarkroomError
from darkroom.ledger.protocol import Ledger
from darkroom.log import get_logger

_log = get_logger(__name__)

FROM_THE_START = "0"
PING_SECONDS = 15.0
RETRY_MILLISECONDS = 2000
# Short, so that a stopping server lets go of its listeners at once.
_SLICE_SECONDS = 1.0


async def answer_with_events(
    ledger: Ledger, job: Job, after: str, stopping: asyncio.Event, listeners: Crowd
) -> Response:
    """The stream of what follows `after`.

    204 when the job has ended and nothing follows: that is what tells an EventSource to stop coming back.
    """
    if job.state.terminal and not await ledger.events(job.id, after=after):
        return Response(status_code=204)
    if after != FROM_THE_START:
        after = await not_beyond(ledger, job, after)
    # nginx would otherwise keep events back until it has a bufferful.
    headers = {"X-Accel-Buffering": "no"}
    return Listening(listeners, job.tenant, _stream(ledger, job, after, stopping), headers)


class Listening(StreamingResponse):
    """Holds a place among the listeners while it is sent. Raises, before: CapacityError, TenantLimit."""

    def __init__(self, listeners: Crowd, tenant: str, pieces: AsyncIterator[bytes], headers: Mapping[str, str]) -> None:
        super().__init__(pieces, headers=headers, media_type="text/event-stream")
        self._listeners, self._tenant = listeners, tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._listeners.of(self._tenant):
            await super().__call__(scope, receive, send)


async def not_beyond(ledger: Ledger, job: Job, after: str) -> str:
    """The id, or the newest there is when that claims to have seen what has not happened: it would miss the end."""
    history = await ledger.events(job.id)
    newest = history[-1].id if history else FROM_THE_START
    return min(after, newest, key=_order)


def _order(event_id: str) -> tuple[int, int]:
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number or 0)


async def _stream(ledger: Ledger, job: Job, after: str, stopping: asyncio.Event) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
    try:
        async for event in lived(ledger, job, after, stopping):
            yield _wire(event) if event else KEEPALIVE_COMMENT
    except DarkroomError as error:
        # The status is long sent; the client comes back by itself with the last id it saw.
        _log.warning("events.cut", job=job.id, code=error.code)


async def lived(ledger: Ledger, job: Job, after: str, stopping: asyncio.Event) -> AsyncIterator[JobEvent | None]:
    """What happens to a job after `after`, until it ends or the server stops; None where it is time for a sign of
    life. Raises: LedgerUnavailable."""
    spoken = time.monotonic()
    while not stopping.is_set():
        for event in await ledger.events(job.id, after=after, wait=_SLICE_SECONDS):
            yield event
            after, spoken = event.id, time.monotonic()
            if ends(event):
                return
        if time.monotonic() - spoken >= PING_SECONDS:
            yield None
            spoken = time.monotonic()
            if (await ledger.get(job.tenant, job.id)).state.terminal:
                return  # its last event was trimmed away, so none will come


def ends(event: JobEvent) -> bool:
    """Whether nothing follows this event."""
    return event.name in _STATES and JobState(event.name).terminal


def _wire(event: JobEvent) -> bytes:
    return format_sse_event(id=event.id, event=event.name, data_str=event.model_dump_json())


_STATES = frozenset(state.value for state in JobState)
