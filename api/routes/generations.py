"""Ask for pictures, see where they stand, or think better of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.accepted import REFUSALS, RESPONSES, IdempotencyKey, Prefer, answered, resource
from api.addresses import base_url
from api.body import AskedGeneration
from api.deps import JobId, PageLimit, ServicesOf, Tenant
from api.documents import problems
from api.kinds import generation_job
from api.patterns import JOB_ID_PATTERN
from api.receivers import webhook_of
from api.submission import submit
from darkroom.contract.document import Generation
from darkroom.contract.job import Job, JobState
from darkroom.contract.listing import GenerationPage
from darkroom.errors import (
    ControlnetMisfit,
    InvalidField,
    LedgerUnavailable,
    LoraMisfit,
    NotFound,
    NoWebhookSecret,
    PreprocessorUnavailable,
    Unauthenticated,
    UnknownControlnet,
    UnknownLora,
    UnknownModel,
    UnknownScheduler,
    UnknownVae,
    UrlRefused,
    UrlUnreachable,
    VaeMisfit,
)
from darkroom.services import Services

router = APIRouter(prefix="/api/v1/generations", tags=["generations"])

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
        *REFUSALS,
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
    )
    | RESPONSES,
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
    submitted = await submit(services, request.app.state.desks, tenant, asked, idempotency_key, webhook)
    return await answered(request, response, services, submitted, prefer)


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
    waiting = [job.id for job in page.jobs if job.state is JobState.QUEUED]
    outlooks = await services.ledger.foresee(waiting) if waiting else {}
    shown = [resource(services, job, request, outlooks.get(job.id)) for job in page.jobs]
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
    outlooks = await services.ledger.foresee([job.id]) if job.state is JobState.QUEUED else {}
    return resource(services, job, request, outlooks.get(job.id))
