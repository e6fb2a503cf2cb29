"""A prediction's life as server-sent events: `logs`, `output` for each picture, `error`, and `done` at its end.

Each has an `id`, without which the client for Python takes it for nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import Request

from api.dialects.replicate.answers import outputs
from api.events import FROM_THE_START, lived, not_beyond
from darkroom.contract.job import Job, JobEvent, JobState
from darkroom.contract.prediction import bar, error_of
from darkroom.errors import DarkroomError
from darkroom.log import get_logger
from darkroom.services import Services

_log = get_logger(__name__)


async def events(request: Request, services: Services, job: Job, after: str) -> AsyncIterator[bytes]:
    """Until it ends, the server stops or the ledger goes away: clients look at the prediction then."""
    last = after
    try:
        async for event in _lived(request, services, job, after):
            if event is None:
                yield KEEPALIVE_COMMENT
                continue
            last = event.id
            if event.name == "progress":
                yield _event(last, "logs", bar(*_steps(event.data)))
        job = await services.ledger.get(job.tenant, job.id)
        if job.state.terminal:
            for name, data in await _end(request, services, job):
                yield _event(last if last != FROM_THE_START else job.id, name, data)
    except DarkroomError as error:
        _log.warning("events.cut", job=job.id, code=error.code)


async def _lived(request: Request, services: Services, job: Job, after: str) -> AsyncIterator[JobEvent | None]:
    """As `lived`. Of a job that has ended, and whose end was heard, nothing more is waited for."""
    stopping: asyncio.Event = request.app.state.stopping
    if job.state.terminal and not await services.ledger.events(job.id, after=after):
        return
    if after != FROM_THE_START:
        after = await not_beyond(services.ledger, job, after)
    async for event in lived(services.ledger, job, after, stopping):
        yield event


def _steps(data: object) -> tuple[int, int]:
    told = data if isinstance(data, dict) else {}
    return int(told.get("step", 0)), int(told.get("steps", 0))


async def _end(request: Request, services: Services, job: Job) -> list[tuple[str, str]]:
    """(event, data). Raises: NotStored, StoreUnavailable."""
    match job.state:
        case JobState.SUCCEEDED:
            made = [("output", url) for url in await outputs(request, services, job)]
            return [*made, ("done", "{}")]
        case JobState.CANCELED:
            return [("done", json.dumps({"reason": "canceled"}))]
    return [("error", error_of(job) or "it failed"), ("done", json.dumps({"reason": "error"}))]


def _event(event_id: str, name: str, data: str) -> bytes:
    return format_sse_event(id=event_id, event=name, data_str=data.rstrip("\n"))
