"""How a generation that was taken in is answered: at once, or when it has ended, if its caller prefers to wait."""

import math
import time
from typing import Annotated, Any

from fastapi import Header, Request, Response

from api.addresses import base_url
from api.documents import headers_described
from api.patterns import KEY_PATTERN
from api.prospects import eta_of, place_of
from api.waiting import wait_for_end, wanted_wait
from darkroom.contract.document import Generation, generation_of
from darkroom.contract.job import Job, JobState
from darkroom.errors import (
    CapacityError,
    DarkroomError,
    GenerationBlocked,
    IdempotencyMismatch,
    InvalidField,
    LedgerUnavailable,
    MalformedBody,
    ModelError,
    PayloadTooLarge,
    QueueFull,
    RateLimited,
    SafetyUnavailable,
    StoreUnavailable,
    TenantLimit,
    TooLarge,
    TooLate,
    Unauthenticated,
    UnsupportedMediaType,
)
from darkroom.ledger.protocol import Outlook, Submitted
from darkroom.services import Services

MAX_RETRY_AFTER = 60

_PLACE = {
    "Location": "where the generation is",
    "Idempotency-Replayed": "`true` when this is the answer to an earlier request with the same key",
}

# Whatever is to be made, and of what.
REFUSALS: tuple[type[DarkroomError], ...] = (
    MalformedBody,
    Unauthenticated,
    IdempotencyMismatch,
    PayloadTooLarge,
    UnsupportedMediaType,
    InvalidField,
    TooLarge,
    RateLimited,
    TenantLimit,
    CapacityError,
    TooLate,
    QueueFull,
    LedgerUnavailable,
    StoreUnavailable,
    ModelError,
    GenerationBlocked,
    SafetyUnavailable,
)

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Generation,
        "description": "ended while you preferred to wait",
        "headers": headers_described({**_PLACE, "Preference-Applied": "the wait that was granted"}),
    },
    202: {
        "description": "accepted",
        "headers": headers_described({**_PLACE, "Retry-After": "seconds after which to look again"}),
    },
}

IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=KEY_PATTERN,
        description="visible characters; for a day, the same key with the same body is answered with the first"
        " generation, as it stands by then",
    ),
]
Prefer = Annotated[str | None, Header(description="`wait=N`: answer when it has ended, or after N <= 60 seconds")]


async def answered(
    request: Request, response: Response, services: Services, submitted: Submitted, prefer: str | None
) -> Generation:
    """The resource, with status and headers set on `response`. Nothing may fail any more once the job is accepted."""
    seconds = wanted_wait(prefer)
    job = await wait_for_end(services.ledger, submitted.job, seconds, request) if seconds else submitted.job
    shown = resource(services, job, request, submitted.outlook)
    response.headers["Location"] = shown.links.self
    if submitted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    if seconds and job.state.terminal:
        response.status_code = 200
        response.headers["Preference-Applied"] = f"wait={seconds}"
    else:
        response.headers["Retry-After"] = str(_retry_after(job, submitted.outlook))
    return shown


def resource(services: Services, job: Job, request: Request, outlook: Outlook | None = None) -> Generation:
    """`outlook`: of a job that waits, if it was asked for."""
    queued = outlook if job.state is JobState.QUEUED else None
    return generation_of(
        job,
        base_url(request, services.settings),
        kept_for=services.settings.result_ttl,
        queue=place_of(queued) if queued else None,
        eta=eta_of(job, queued, time.time()),
    )


def _retry_after(job: Job, outlook: Outlook | None) -> int:
    """Seconds after which asking again may be worth it: until it is expected to have ended, within reason."""
    seconds = (outlook.wait_seconds or 0) + outlook.own_seconds if outlook else job.plan.predicted_seconds
    return max(1, min(math.ceil(seconds), MAX_RETRY_AFTER))
