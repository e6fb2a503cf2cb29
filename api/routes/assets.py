"""Pictures sent ahead, to be named in generations."""

import asyncio

from fastapi import APIRouter, Request

from api.deps import ServicesOf, Tenant
from api.desk import Crowd, Desk
from api.documents import problems
from api.resources import Asset
from api.uploads import PICTURE_BODY, PICTURE_PROBLEMS, uploaded_picture
from darkroom.inputs.normal import normalise
from darkroom.inputs.shelf import keep

router = APIRouter(prefix="/api/v1/assets", tags=["assets"])


@router.post(
    "",
    operation_id="create_asset",
    status_code=201,
    openapi_extra={"requestBody": PICTURE_BODY},
    responses=problems(*PICTURE_PROBLEMS),
)
async def create_asset(request: Request, services: ServicesOf, tenant: Tenant) -> Asset:
    """Keep a picture under an id that generations may name as `image` or `mask`. The same picture has the same id."""
    crowd: Crowd = request.app.state.crowd
    desk: Desk = request.app.state.reading_desk
    with crowd:
        async with uploaded_picture(request, services.settings.max_body_bytes) as file, desk:
            picture = await asyncio.to_thread(lambda: normalise(file.read()))
        kept = await keep(services.store, tenant, picture)
    return Asset(id=kept.sha256, **kept.model_dump())
