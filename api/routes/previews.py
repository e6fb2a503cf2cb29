"""What a running generation looks like so far."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.deps import JobId, ServicesOf, Tenant
from api.documents import problems
from darkroom.errors import InvalidField, LedgerUnavailable, NotFound, Unauthenticated

router = APIRouter(prefix="/api/v1/generations/{job_id}", tags=["generations"])

MEDIA_TYPE = "image/jpeg"


@router.get(
    "/previews/{index}",
    operation_id="get_preview",
    response_class=Response,
    responses=problems(Unauthenticated, NotFound, InvalidField, LedgerUnavailable)
    | {
        200: {
            "description": "the latest sketch of the picture",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def get_preview(
    services: ServicesOf,
    tenant: Tenant,
    job_id: JobId,
    index: Annotated[int, Path(ge=0, le=999, description="of which picture, from 0")],
) -> Response:
    """A sketch of one picture of a running generation that was asked for with `previews`; there is a new one when
    `previews` of its progress has grown. It goes when the generation ends: the picture itself is then among `images`.
    """
    frame = await services.ledger.preview(tenant, job_id, index)
    return Response(frame, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
