"""Pictures sent ahead, to be named in generations."""

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.deps import ServicesOf, Tenant
from api.desk import Desks
from api.documents import problems
from api.named import NAMED_BODY, NAMED_PROBLEMS, named_picture
from api.resources import asset_of
from darkroom.contract.listing import Asset
from darkroom.errors import InvalidField, NotFound, NotStored, StoreUnavailable, Unauthenticated
from darkroom.inputs.normal import MEDIA_TYPE, normalise
from darkroom.inputs.shelf import fetch, keep

ASSET_ID_PATTERN = "^[0-9a-f]{64}$"
AssetId = Annotated[str, Path(description="id of an asset", json_schema_extra={"pattern": ASSET_ID_PATTERN})]

router = APIRouter(prefix="/api/v1/assets", tags=["assets"])


@router.post(
    "",
    operation_id="create_asset",
    status_code=201,
    openapi_extra={"requestBody": NAMED_BODY},
    responses=problems(*NAMED_PROBLEMS),
)
async def create_asset(request: Request, services: ServicesOf, tenant: Tenant) -> Asset:
    """Keep a picture under an id that generations may name as `image` or `mask`. The same picture has the same id."""
    desks: Desks = request.app.state.desks
    with desks.uploads.of(tenant):
        async with named_picture(request, services, tenant) as file, desks.reading.of(tenant):
            picture = await asyncio.to_thread(lambda: normalise(file.read()))
        kept = await keep(services.store, tenant, picture)
    return asset_of(kept)


@router.get(
    "/{asset_id}",
    operation_id="get_asset",
    response_class=Response,
    responses=problems(Unauthenticated, NotFound, InvalidField, StoreUnavailable)
    | {
        200: {"description": "the picture", "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def get_asset(services: ServicesOf, tenant: Tenant, asset_id: AssetId) -> Response:
    """A picture you sent, or a control map made for you: as it is kept, neither marked nor signed. Nothing that a
    model painted is kept here."""
    if not re.fullmatch(ASSET_ID_PATTERN, asset_id):
        raise NotFound("no such asset")
    try:
        png = await fetch(services.store, tenant, asset_id)
    except NotStored:
        raise NotFound("no such asset") from None
    headers = {"ETag": f'"{asset_id}"', "Cache-Control": "private, max-age=31536000, immutable"}
    return Response(png, media_type=MEDIA_TYPE, headers=headers)
