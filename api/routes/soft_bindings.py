"""The manifest a picture has lost, by its label, as C2PA's Soft Binding Resolution API 1.0 (C2PA 2.2) serves it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.deps import ServicesOf
from api.documents import problems
from api.lookups import Looker
from darkroom.errors import (
    InvalidField,
    MalformedRequest,
    NotFound,
    RateLimited,
    StoreError,
    StoreUnavailable,
    Unauthenticated,
)
from darkroom.provenance.records import C2PA, LABEL_PATTERN, Records, is_label

router = APIRouter(prefix="/c2pa/v1", tags=["provenance"])


@router.get(
    "/manifests/{manifest_id}",
    operation_id="get_manifest",
    response_class=Response,
    responses=problems(
        Unauthenticated, MalformedRequest, InvalidField, NotFound, RateLimited, StoreError, StoreUnavailable
    )
    | {
        200: {
            "description": "the manifest store, signed as it was issued",
            "content": {C2PA: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def get_manifest(
    services: ServicesOf,
    tenant: Looker,
    manifest_id: Annotated[
        str, Path(description="label of the manifest", json_schema_extra={"pattern": f"^{LABEL_PATTERN}$"})
    ],
    active: Annotated[
        str,
        Query(
            alias="returnActiveManifest",
            description="a kept manifest is the active one of its store, so both answers are the same",
            json_schema_extra={"enum": ["true", "false"]},
        ),
    ] = "false",
) -> Response:
    """A manifest by its label. Whoever holds a key may ask: manifests travel with pictures and name no tenant."""
    if active not in ("true", "false"):
        raise MalformedRequest("returnActiveManifest is true or false")
    if not is_label(manifest_id):
        raise MalformedRequest("a manifest's id is its label, urn:c2pa:UUID")
    manifest = await Records(services.store, b"").manifest(manifest_id)
    if manifest is None:
        raise NotFound("no such manifest")
    return Response(manifest, media_type=C2PA)
