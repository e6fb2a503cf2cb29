"""Make a generation again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.accepted import REFUSALS, RESPONSES, IdempotencyKey, Prefer, answered
from api.deps import JobId, ServicesOf, Tenant
from api.documents import problems
from api.kinds import generation_job
from api.rerun import AskedRerun, rerun
from darkroom.contract.document import Generation
from darkroom.contract.job import Job
from darkroom.errors import Gone, NotFound


async def own_generation(services: ServicesOf, tenant: Tenant, job_id: JobId) -> Job:
    """Raises: NotFound, Unauthenticated, LedgerUnavailable."""
    return await generation_job(services.ledger, tenant, job_id)


OwnGeneration = Annotated[Job, Depends(own_generation)]

router = APIRouter(prefix="/api/v1/generations", tags=["generations"])


@router.post(
    "/{job_id}/rerun",
    operation_id="rerun_generation",
    status_code=202,
    responses=problems(*REFUSALS, NotFound, Gone) | RESPONSES,
)
async def rerun_generation(
    request: Request,
    response: Response,
    services: ServicesOf,
    job: OwnGeneration,
    asked: AskedRerun,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Generation:
    """Make one of your generations again, whatever became of it: a new one of the same plan, with its seeds unless you
    say otherwise. A deadline is as long as it was, and a webhook hears of it as of the first."""
    submitted = await rerun(services, request.app.state.desks, job, asked, idempotency_key)
    return await answered(request, response, services, submitted, prefer)
