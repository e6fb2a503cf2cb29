"""The C2PA Soft Binding Resolution API 1.0 (C2PA specification 2.2): from a mark, or a picture, to its manifest.

Manifests travel with the pictures they belong to, so any caller with a key may have them; whose picture it is, is in
none of them.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.bindings import (
    MAX_VALUE,
    VALUE_PATTERN,
    VALUE_WORDS,
    Binding,
    Match,
    Matches,
    SpecifiedStatus,
    SupportedAlgorithm,
    SupportedAlgorithms,
    mark_of,
    posted_binding,
    require_known,
)
from api.deps import ServicesOf
from api.desk import Desks
from api.documents import problems
from api.lookups import Looker
from api.uploads import uploaded_picture
from darkroom.errors import (
    BadPicture,
    CapacityError,
    LongAddress,
    MalformedBody,
    MalformedRequest,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    StoreUnavailable,
    TenantLimit,
    Unauthenticated,
    UnsupportedMediaType,
)
from darkroom.provenance.records import C2PA, LABEL_PATTERN, is_label
from darkroom.provenance.resolution import Match as Found
from darkroom.services import Services

BASE: Final = "/c2pa/v1"
DEFAULT_LIMIT: Final = 10
_ASKED = (MalformedRequest, Unauthenticated, RateLimited, StoreUnavailable)
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}

router = APIRouter(prefix=BASE, tags=["soft bindings"], route_class=SpecifiedStatus)

# A mark leads to one manifest at most, so any limit is kept.
Limit = Annotated[int, Query(alias="maxResults", ge=1, description="most manifests in the answer")]
Alg = Annotated[str, Query(description="name of a soft binding algorithm")]
MaybeAlg = Annotated[str | None, Query(description="look for this soft binding alone")]
Value = Annotated[str, Query(description=VALUE_WORDS, json_schema_extra={"pattern": VALUE_PATTERN})]
HintAlg = Annotated[str | None, Query(alias="hintAlg", description="a soft binding that the asset may have")]
HintValue = Annotated[str | None, Query(alias="hintValue", description="the value of that, base64")]
ManifestId = Annotated[
    str, Path(description="label of the manifest", json_schema_extra={"pattern": f"^{LABEL_PATTERN}$"})
]
Active = Annotated[bool, Query(alias="returnActiveManifest", description="without the manifests of ingredients")]


@router.get(
    "/matches/byBinding",
    operation_id="queryByBinding",
    response_model_exclude_none=True,
    responses=problems(*_ASKED, LongAddress),
)
async def matches_by_binding(
    services: ServicesOf,
    _: Looker,
    alg: Alg,
    value: Value,
    limit: Limit = DEFAULT_LIMIT,
) -> Matches:
    """The manifests that a soft binding leads to."""
    if len(value) > MAX_VALUE:
        raise LongAddress(f"a value in the address may have {MAX_VALUE} characters: send it by POST")
    return await _matches(services, alg, value)


@router.post(
    "/matches/byBinding",
    operation_id="queryByLargeBinding",
    response_model_exclude_none=True,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": Binding.model_json_schema()}}}
    },
    responses=problems(*_ASKED, MalformedBody, PayloadTooLarge, UnsupportedMediaType, CapacityError, TenantLimit),
)
async def matches_by_posted_binding(
    request: Request, services: ServicesOf, _: Looker, limit: Limit = DEFAULT_LIMIT
) -> Matches:
    """As by GET, for values that no address has room for."""
    binding = await posted_binding(request)
    return await _matches(services, binding.alg, binding.value)


async def _matches(services: Services, alg: str, value: str) -> Matches:
    require_known(services.resolver, alg)
    mark_id = mark_of(alg, value)
    return _shown(None if mark_id is None else await services.resolver.by_binding(alg, mark_id))


@router.post(
    "/matches/byContent",
    operation_id="queryByContent",
    response_model_exclude_none=True,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": dict.fromkeys(("image/png", "image/jpeg", "image/webp", "application/octet-stream"), _BYTES),
        }
    },
    responses=problems(*_ASKED, MalformedBody, PayloadTooLarge, UnsupportedMediaType, CapacityError, TenantLimit),
)
async def matches_by_content(
    request: Request,
    services: ServicesOf,
    tenant: Looker,
    limit: Limit = DEFAULT_LIMIT,
    alg: MaybeAlg = None,
    hint_alg: HintAlg = None,
    hint_value: HintValue = None,
) -> Matches:
    """The manifests that the mark in a picture leads to. A picture that only bears its mark matches nothing.

    Hints have no effect: the mark is always looked for in the pixels, and nothing else may stand in for it.
    """
    if alg is not None:
        require_known(services.resolver, alg)
    desks: Desks = request.app.state.desks
    with desks.uploads.of(tenant):
        async with uploaded_picture(request, services.settings.max_body_bytes) as picture:
            try:
                found = await services.resolver.by_content(picture, alg)
            except BadPicture as error:
                raise UnsupportedMediaType(error.detail) from error
    return _shown(found)


@router.get(
    "/manifests/{manifest_id}",
    operation_id="getManifestById",
    response_class=Response,
    responses=problems(*_ASKED, NotFound) | {200: {"description": "a C2PA manifest store", "content": {C2PA: _BYTES}}},
)
async def manifest_by_id(services: ServicesOf, _: Looker, manifest_id: ManifestId, active: Active = False) -> Response:
    """The manifest store of a picture made here, by the label of its active manifest."""
    if not is_label(manifest_id):
        raise MalformedRequest("manifestId: the label of a manifest is expected, urn:c2pa:UUID")
    store = await services.resolver.manifest(manifest_id, active_only=active)
    if store is None:
        raise NotFound("no such manifest")
    return Response(store, media_type=C2PA)


@router.get("/services/supportedAlgorithms", operation_id="getSupportedBindings")
async def supported_algorithms(services: ServicesOf) -> SupportedAlgorithms:
    """The soft bindings that this service can look for."""
    return SupportedAlgorithms(watermarks=tuple(SupportedAlgorithm(alg=alg) for alg in services.resolver.algs))


def _shown(found: Found | None) -> Matches:
    if found is None:
        return Matches()
    return Matches(matches=(Match(manifestId=found.manifest_id, similarityScore=found.similarity),))
