"""What comes out of a generation: its events while it runs, its pictures when it has ended."""

from datetime import timedelta
from pathlib import PurePosixPath
from typing import Annotated, get_args

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from api.deps import JobId, ServicesOf, Tenant
from api.documents import problems
from api.etags import holds
from api.events import FROM_THE_START, answer_with_events
from api.kinds import generation_job
from api.patterns import EVENT_ID_PATTERN
from darkroom.contract.job import Artifact, EventName, Job
from darkroom.errors import (
    CapacityError,
    InvalidField,
    LedgerUnavailable,
    NotFound,
    NotStored,
    StoreUnavailable,
    TenantLimit,
    Unauthenticated,
)

router = APIRouter(prefix="/api/v1/generations/{job_id}", tags=["generations"])

URL_LIFETIME = timedelta(minutes=10)
# OpenAPI 3.1 has no word for streams: this is one event, and `data` is JSON inside text.
_EVENT = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": EVENT_ID_PATTERN},
        "event": {"type": "string", "enum": list(get_args(EventName))},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/JobEvent"},
        },
        "retry": {"type": "integer"},
    },
}
_PICTURE = {"schema": {"type": "string", "format": "binary"}}

LastEventId = Annotated[
    str,
    Header(alias="Last-Event-ID", pattern=EVENT_ID_PATTERN, description="go on after this event"),
]
IfNoneMatch = Annotated[str | None, Header(description="an ETag you hold")]


@router.get(
    "/events",
    operation_id="follow_generation",
    response_class=Response,
    responses=problems(Unauthenticated, NotFound, InvalidField, TenantLimit, CapacityError, LedgerUnavailable)
    | {
        200: {
            "description": "events until the generation ends, and `: ping` while it is silent",
            "content": {"text/event-stream": {"schema": _EVENT}},
        },
        204: {"description": "it has ended, and nothing follows Last-Event-ID"},
    },
)
async def follow_generation(
    request: Request, services: ServicesOf, tenant: Tenant, job_id: JobId, last_event_id: LastEventId = FROM_THE_START
) -> Response:
    """Its history and then its life, as server-sent events; the last one is its end."""
    job = await generation_job(services.ledger, tenant, job_id)
    state = request.app.state
    return await answer_with_events(services.ledger, job, last_event_id, state.stopping, state.desks.listeners)


@router.get(
    "/images/{index}",
    operation_id="get_image",
    response_class=Response,
    responses=problems(Unauthenticated, NotFound, NotStored, InvalidField, LedgerUnavailable, StoreUnavailable)
    | {
        200: {
            "description": "the picture",
            "content": {"image/png": _PICTURE, "image/jpeg": _PICTURE, "image/webp": _PICTURE},
        },
        304: {"description": "you hold it already"},
        307: {"description": "the picture is at Location, for a few minutes"},
    },
)
async def get_image(
    services: ServicesOf,
    tenant: Tenant,
    job_id: JobId,
    index: Annotated[int, Path(ge=0, le=999, description="which picture, from 0")],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One finished picture: its bytes, or where they are."""
    artifact = _artifact(await generation_job(services.ledger, tenant, job_id), index)
    filename = f"{job_id}-{index}{PurePosixPath(artifact.key).suffix}"
    url = await services.store.url(
        artifact.key, expires=URL_LIFETIME, media_type=artifact.media_type, filename=filename
    )
    if url is not None:
        return Response(status_code=307, headers={"Location": url})
    headers = {
        "ETag": f'"{artifact.sha256}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f'inline; filename="{filename}"',
    }
    if if_none_match is not None and holds(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(await services.store.get(artifact.key), media_type=artifact.media_type, headers=headers)


def _artifact(job: Job, index: int) -> Artifact:
    for artifact in job.artifacts:
        if artifact.index == index:
            return artifact
    raise NotFound("no such picture")
