"""Ask for pictures, see where they stand, or think better of it."""

import math
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response

from api.addresses import base_url
from api.body import AskedGeneration
from api.deps import JobId, PageLimit, ServicesOf, Tenant
from api.documents import headers_described, problems
from api.kinds import generation_job
from api.patterns import JOB_ID_PATTERN, KEY_PATTERN
from api.receivers import webhook_of
from api.resources import GenerationPage
from api.submission import submit
from api.waiting import wait_for_end, wanted_wait
from darkroom.contract.document import Generation, generation_of
from darkroom.contract.job import Job, JobState
from darkroom.errors import (
    CapacityError,
    ControlnetMisfit,
    IdempotencyMismatch,
    InvalidField,
    LedgerUnavailable,
    LoraMisfit,
    MalformedBody,
    ModelError,
    NotFound,
    NoWebhookSecret,
    PayloadTooLarge,
    PreprocessorUnavailable,
    QueueFull,
    StoreUnavailable,
    TenantLimit,
    Unauthenticated,
    UnknownControlnet,
    UnknownLora,
    UnknownModel,
    UnknownScheduler,
    UnknownVae,
    UnsupportedMediaType,
    UrlRefused,
    UrlUnreachable,
    VaeMisfit,
)
from darkroom.services import Services

router = APIRouter(prefix="/api/v1/generations", tags=["generations"])

MAX_RETRY_AFTER = 60

_PLACE = {
    "Location": "where the generation is",
    "Idempotency-Replayed": "`true` when this is the answer to an earlier request with the same key",
}

IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=KEY_PATTERN,
        description="visible characters; the same key with the same body is answered with the first generation",
    ),
]
Prefer = Annotated[str | None, Header(description="`wait=N`: answer when it has ended, or after N <= 60 seconds")]
Cursor = Annotated[str | None, Query(pattern=JOB_ID_PATTERN, description="`cursor` of the page before")]
DeadLetters = Annotated[
    Literal["attempts_exhausted"] | None,
    Query(description="only those that were given up because workers died with them, or fell silent"),
]


@router.post(
    "",
    operation_id="create_generation",
    status_code=202,
    responses=problems(
        MalformedBody,
        Unauthenticated,
        IdempotencyMismatch,
        PayloadTooLarge,
        UnsupportedMediaType,
        InvalidField,
        UrlRefused,
        UrlUnreachable,
        UnknownModel,
        UnknownLora,
        LoraMisfit,
        UnknownVae,
        VaeMisfit,
        UnknownControlnet,
        ControlnetMisfit,
        PreprocessorUnavailable,
        UnknownScheduler,
        NoWebhookSecret,
        TenantLimit,
        CapacityError,
        QueueFull,
        LedgerUnavailable,
        StoreUnavailable,
        ModelError,
    )
    | {
        200: {
            "model": Generation,
            "description": "ended while you preferred to wait",
            "headers": headers_described({**_PLACE, "Preference-Applied": "the wait that was granted"}),
        },
        202: {
            "description": "accepted",
            "headers": headers_described({**_PLACE, "Retry-After": "seconds after which to look again"}),
        },
    },
)
async def create_generation(
    request: Request,
    response: Response,
    services: ServicesOf,
    tenant: Tenant,
    asked: AskedGeneration,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Generation:
    """Ask for pictures. Answers at once, or with the finished generation if you prefer to wait and it ends in time."""
    webhook = webhook_of(services, tenant, asked, base_url(request, services.settings))
    submitted = await submit(services, request.app.state.reading_desk, tenant, asked, idempotency_key, webhook)
    seconds = wanted_wait(prefer)
    job = await wait_for_end(services.ledger, submitted.job, seconds, request) if seconds else submitted.job
    # The place is the one of submission: nothing may fail any more once the job is accepted.
    position = submitted.position if job.state is JobState.QUEUED else None
    shown = _resource(services, job, request, position)
    response.headers["Location"] = shown.links.self
    if submitted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    if seconds and job.state.terminal:
        response.status_code = 200
        response.headers["Preference-Applied"] = f"wait={seconds}"
    else:
        response.headers["Retry-After"] = str(_retry_after(job))
    return shown


@router.get("", operation_id="list_generations", responses=problems(Unauthenticated, InvalidField, LedgerUnavailable))
async def list_generations(
    request: Request,
    services: ServicesOf,
    tenant: Tenant,
    limit: PageLimit = 20,
    cursor: Cursor = None,
    failure: DeadLetters = None,
) -> GenerationPage:
    """Your generations, newest first."""
    page = await services.ledger.jobs(tenant, limit=limit, cursor=cursor, dead=failure is not None)
    shown = [_resource(services, job, request) for job in page.jobs]
    return GenerationPage(generations=shown, cursor=page.cursor)


@router.get(
    "/{job_id}",
    operation_id="get_generation",
    responses=problems(Unauthenticated, NotFound, InvalidField, LedgerUnavailable),
)
async def get_generation(request: Request, services: ServicesOf, tenant: Tenant, job_id: JobId) -> Generation:
    """One generation as it stands now."""
    return await _shown(services, await generation_job(services.ledger, tenant, job_id), request)


@router.delete(
    "/{job_id}",
    operation_id="cancel_generation",
    responses=problems(Unauthenticated, NotFound, InvalidField, LedgerUnavailable),
)
async def cancel_generation(request: Request, services: ServicesOf, tenant: Tenant, job_id: JobId) -> Generation:
    """Cancel it, waiting or running; one that has ended is answered as it is."""
    await generation_job(services.ledger, tenant, job_id)
    return await _shown(services, await services.ledger.cancel(tenant, job_id), request)


async def _shown(services: Services, job: Job, request: Request) -> Generation:
    position = await services.ledger.position(job.id) if job.state is JobState.QUEUED else None
    return _resource(services, job, request, position)


def _resource(services: Services, job: Job, request: Request, position: int | None = None) -> Generation:
    base = base_url(request, services.settings)
    return generation_of(job, base, kept_for=services.settings.result_ttl, position=position)


def _retry_after(job: Job) -> int:
    """Seconds after which asking again may be worth it: the device time it needs, within reason."""
    return max(1, min(math.ceil(job.plan.predicted_seconds), MAX_RETRY_AFTER))
