"""A generation as it goes on, in the events of OpenAI: partial images, then each picture, or what went wrong."""

import base64
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import anyio
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.desk import Desks
from api.dialects.making import AWAY_SECONDS, enter, left, succeeded
from api.dialects.openai import answers, shape
from api.dialects.openai.answers import Tokens
from api.dialects.openai.asked import Asking
from api.dialects.openai.sketches import Sketches
from api.dialects.openai.tokens import tokens_of
from api.dialects.pictures import picture_at
from api.dialects.remarks import tell
from api.dialects.requested import in_words_of
from api.events import FROM_THE_START, PING_SECONDS, ends
from api.problems import problem_of
from darkroom.contract.job import Job, JobEvent
from darkroom.errors import DarkroomError, UnavailableError
from darkroom.log import get_logger
from darkroom.services import Services

_SLICE_SECONDS = 1.0
_CANCEL_SECONDS = 5.0

_log = get_logger(__name__)


class Telling(StreamingResponse):
    """Submits, and tells. What is wrong with the request is an error with its status, before anything is sent.

    When the caller hangs up, the job is canceled, as in `making`.
    """

    def __init__(self, request: Request, services: Services, asking: Asking, key: str | None) -> None:
        # nginx would otherwise keep events back until it has a bufferful.
        super().__init__(self._told(), headers={"X-Accel-Buffering": "no"}, media_type="text/event-stream")
        self._request, self._services, self._key = request, services, key
        self._asking: Asking | None = asking  # until there is a job: it may hold pictures
        self._operation, self._wanted = asking.operation, asking.told
        self._stopping = request.app.state.stopping
        self._over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises: as `enter`; CapacityError, TenantLimit where too many wait."""
        desks: Desks = self._request.app.state.desks
        asking, self._asking = self._asking, None
        assert asking is not None
        with desks.listeners.of(asking.tenant):
            with in_words_of(asking.wanted.names):
                entered = await enter(
                    self._request, self._services, asking.tenant, asking.request, asking.notices, self._key
                )
            del asking
            self._job = entered.job
            tell(self.headers, answers.made_plan(self._job).warnings)
            try:
                await super().__call__(scope, receive, send)
            finally:
                await self._give_up()

    async def _give_up(self) -> None:
        if self._over or self._key is not None:
            return
        with anyio.move_on_after(_CANCEL_SECONDS, shield=True):
            try:
                await self._services.ledger.cancel(self._job.tenant, self._job.id)
            except UnavailableError as error:
                _log.warning("generation.not_canceled", job=self._job.id, code=error.code)

    async def _told(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._pieces():
                yield piece
        except DarkroomError as error:
            self._over = not isinstance(error, UnavailableError)
            yield _wire({"type": "error", "error": shape.body_of(problem_of(error))})

    async def _pieces(self) -> AsyncIterator[bytes]:
        sketches = Sketches(self._services.ledger, self._job, self._wanted.partial_images)
        async for events in self._news():
            async for number, b64 in _while_there(sketches, events):
                yield _wire(self._partial(number, b64))
            if not events:
                yield KEEPALIVE_COMMENT
        if not self._job.state.terminal:
            self._job = await left(self._request, self._services.ledger, self._job, kept=self._key is not None)
        async for picture in self._pictures(succeeded(self._job)):
            yield picture
        self._over = True

    async def _news(self) -> AsyncIterator[list[JobEvent]]:
        """Events as they come, and none where a proxy might think that nobody is there any more.

        Ends once the job has, in `self._job`; or `compat_wait` is over, or the gateway stops. An outage of the ledger
        is waited out.
        """
        ledger, after = self._services.ledger, FROM_THE_START
        spoken = time.monotonic()
        until = spoken + self._services.settings.compat_wait
        while not self._job.state.terminal and time.monotonic() < until and not self._stopping.is_set():
            try:
                events = await ledger.events(self._job.id, after=after, wait=_SLICE_SECONDS)
                if any(map(ends, events)):
                    self._job = await ledger.get(self._job.tenant, self._job.id)
                    return
            except UnavailableError:
                await anyio.sleep(AWAY_SECONDS)
                events = []
            if events:
                after, spoken = events[-1].id, time.monotonic()
                yield events
            elif time.monotonic() - spoken >= PING_SECONDS:
                spoken = time.monotonic()
                yield []

    def _partial(self, number: int, b64: str) -> dict[str, Any]:
        plan = self._job.generation
        return answers.partial(self._operation, plan, b64, int(time.time()), number, self._wanted)

    async def _pictures(self, job: Job) -> AsyncIterator[bytes]:
        """Tokens are counted once, so that the sum over all events is right."""
        tokens, kept = await tokens_of(self._services, job), self._key is not None
        for artifact in sorted(job.artifacts, key=lambda each: each.index):
            b64 = base64.b64encode(await picture_at(self._services.store, artifact.key, kept=kept)).decode()
            told = answers.completed(self._operation, job, artifact, b64, self._wanted, tokens)
            yield _wire(told)
            tokens = Tokens()


async def _while_there(sketches: Sketches, events: list[JobEvent]) -> AsyncIterator[tuple[int, str]]:
    """A picture is no worse for a sketch of it that could not be had."""
    with suppress(UnavailableError):
        async for sketch in sketches.due(events):
            yield sketch


def _wire(told: dict[str, Any]) -> bytes:
    return format_sse_event(event=told["type"], data_str=answers.json_of(told).decode())
