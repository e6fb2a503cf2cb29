"""Predictions: asked for, looked at, canceled, followed."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response

from api.accepted import IdempotencyKey, Prefer
from api.addresses import base_url
from api.deps import JobId, ServicesOf
from api.dialects.bodies import read_object
from api.dialects.callers import Caller, caller_of
from api.dialects.remarks import Remarks, tell
from api.dialects.replicate.adapter import Place, settled
from api.dialects.replicate.answers import check_stream, shown
from api.dialects.replicate.models import asked_model, refiner_of
from api.dialects.replicate.streaming import events
from api.dialects.requested import in_words_of, requested
from api.events import FROM_THE_START, Listening
from api.kinds import generation_job
from api.patterns import EVENT_ID_PATTERN, JOB_ID_PATTERN
from api.receivers import webhook_of
from api.submission import submit
from api.waiting import MAX_WAIT_SECONDS, wait_for_end, wanted_wait
from darkroom.contract.job import Job
from darkroom.contract.prediction import PREFIX
from darkroom.contract.safety import SafetyPolicy
from darkroom.ledger.protocol import Submitted
from darkroom.safety.policies import demanded
from darkroom.services import Services

router = APIRouter(prefix=PREFIX)

_PAGE: Final = 50
# The client for Python hangs up half a second after the wait that it asks for.
_EARLIER: Final = 0.3
_BARE_WAIT: Final = re.compile(r"\s*wait\s*", re.IGNORECASE)

Cursor = Annotated[str | None, Query(pattern=JOB_ID_PATTERN)]
LastEventId = Annotated[str, Header(alias="Last-Event-ID", pattern=EVENT_ID_PATTERN)]


@router.post("/predictions")
async def create_prediction(
    request: Request,
    services: ServicesOf,
    tenant: Caller,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """Ask for pictures of a version, or of a model."""
    submitted = await _submitted(request, services, tenant, idempotency_key)
    return await _answered(request, services, submitted.job, prefer)


@router.post("/models/{owner}/{name}/predictions")
async def create_prediction_of_model(
    request: Request,
    services: ServicesOf,
    tenant: Caller,
    owner: str,
    name: str,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Response:
    """Ask for pictures of the model in the path."""
    submitted = await _submitted(request, services, tenant, idempotency_key, f"{owner}/{name}")
    return await _answered(request, services, submitted.job, prefer)


async def _submitted(
    request: Request, services: Services, tenant: str, key: str | None, model: str | None = None
) -> Submitted:
    body, base = await read_object(request), base_url(request, services.settings)
    named = body if model is None else {"model": model}
    ours = asked_model(named, services.catalog, services.settings)
    remarks = Remarks(strict=services.settings.compat_strict)
    checked = demanded(services.settings, tenant) != SafetyPolicy()
    found = settled(body, Place(base, refiner_of(services.catalog), checked), remarks)
    with in_words_of(found.names):
        asked = requested({"model": ours} | found.fields, found.names)
        webhook = webhook_of(services, tenant, asked, base)
        told = webhook.model_copy(update={"shape": "replicate"}) if webhook else None
        return await submit(services, request.app.state.desks, tenant, asked, key, told, remarks.notices)


async def _answered(request: Request, services: Services, job: Job, prefer: str | None) -> Response:
    """What is not finished after a wait is called `starting`: the clients take any other status for the end."""
    seconds = _seconds(prefer)
    if seconds:
        job = await wait_for_end(services.ledger, job, seconds - _EARLIER, request)
    prediction = await shown(request, services, job)
    if seconds and not job.state.terminal:
        prediction["status"] = "starting"
    status = 202 if seconds and not job.state.terminal else 201
    response = JSONResponse(prediction, status, headers={"Location": prediction["urls"]["get"]})
    tell(response.headers, (job.receipt.plan if job.receipt else job.generation).warnings)
    return response


def _seconds(prefer: str | None) -> int:
    if any(_BARE_WAIT.fullmatch(each) for each in (prefer or "").split(",")):
        return MAX_WAIT_SECONDS
    return wanted_wait(prefer)


@router.get("/predictions")
async def list_predictions(
    request: Request, services: ServicesOf, tenant: Caller, cursor: Cursor = None
) -> dict[str, Any]:
    """All generations of the caller, newest first."""
    page = await services.ledger.jobs(tenant, limit=_PAGE, cursor=cursor)
    here = f"{base_url(request, services.settings)}{PREFIX}/predictions"
    results = [await shown(request, services, job, inline=False) for job in page.jobs]
    return {"previous": None, "next": f"{here}?cursor={page.cursor}" if page.cursor else None, "results": results}


@router.get("/predictions/{job_id}")
async def get_prediction(request: Request, services: ServicesOf, tenant: Caller, job_id: JobId) -> dict[str, Any]:
    return await shown(request, services, await generation_job(services.ledger, tenant, job_id))


@router.post("/predictions/{job_id}/cancel")
async def cancel_prediction(request: Request, services: ServicesOf, tenant: Caller, job_id: JobId) -> dict[str, Any]:
    """Cancel it; one that has ended is answered as it is."""
    await generation_job(services.ledger, tenant, job_id)
    return await shown(request, services, await services.ledger.cancel(tenant, job_id))


@router.get("/predictions/{job_id}/events")
async def stream_prediction(
    request: Request,
    services: ServicesOf,
    job_id: JobId,
    tenant: str = "",
    expires: str = "",
    signature: str = "",
    last_event_id: LastEventId = FROM_THE_START,
) -> Response:
    """Its events, for who has the link, or the key."""
    if signature:
        check_stream(services.subkeys.links, tenant, job_id, expires, signature)
    else:
        tenant = caller_of(request)
    job = await generation_job(services.ledger, tenant, job_id)
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    pieces = events(request, services, job, last_event_id)
    return Listening(request.app.state.desks.listeners, tenant, pieces, headers)
