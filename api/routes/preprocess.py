"""Control maps: made once, used in any number of generations; and which of them can be made here."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from api.addresses import base_url
from api.body import AskedPreprocess
from api.deps import JobId, ServicesOf, Tenant
from api.documents import headers_described, problems
from api.preprocessing import Made, cancel, preprocess, shown, shown_made
from api.waiting import wait_for_end, wanted_wait
from darkroom.contract.listing import AbsentPreprocessor, Preprocessor, Preprocessors
from darkroom.contract.preprocess import PREPROCESSING
from darkroom.contract.preprocessing import Preprocessing
from darkroom.errors import (
    CapacityError,
    InvalidField,
    LedgerUnavailable,
    MalformedBody,
    NotFound,
    PayloadTooLarge,
    PreprocessorUnavailable,
    QueueFull,
    StoreUnavailable,
    TenantLimit,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
    UrlRefused,
    UrlUnreachable,
)
from darkroom.services import Services

router = APIRouter(prefix="/api/v1", tags=["control maps"])

# Without a preference, and only while somebody makes maps: most take less than a second.
DEFAULT_WAIT_SECONDS = 10
RETRY_SECONDS = 1


Prefer = Annotated[
    str | None,
    Header(description="`wait=N`: answer when it has ended, or after N <= 60 seconds; 10 if you say nothing"),
]


@router.post(
    "/preprocess",
    operation_id="preprocess",
    status_code=200,
    responses=problems(
        MalformedBody,
        Unauthenticated,
        PayloadTooLarge,
        UnsupportedMediaType,
        InvalidField,
        UrlRefused,
        UrlUnreachable,
        PreprocessorUnavailable,
        TooLarge,
        TenantLimit,
        CapacityError,
        QueueFull,
        LedgerUnavailable,
        StoreUnavailable,
    )
    | {
        200: {"description": "it has ended, now or before"},
        202: {
            "model": Preprocessing,
            "description": "it is under way",
            "headers": headers_described(
                {"Location": "where to look for it", "Retry-After": "seconds after which to look"}
            ),
        },
    },
)
async def create_map(
    request: Request,
    response: Response,
    services: ServicesOf,
    tenant: Tenant,
    asked: AskedPreprocess,
    prefer: Prefer = None,
) -> Preprocessing:
    """Make the control map of a picture, and keep it under an id that generations may name. The same picture and type
    have the same map, which is made once."""
    found = await preprocess(services, request.app.state.desks, tenant, asked)
    if isinstance(found, Made):
        return shown_made(found)
    seconds = await _default_wait(services) if prefer is None else wanted_wait(prefer)
    job = await wait_for_end(services.ledger, found, seconds, request) if seconds else found
    if not job.state.terminal:
        response.status_code = 202
        response.headers["Location"] = f"{base_url(request, services.settings)}/api/v1/preprocess/{job.id}"
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return await shown(services, job)


@router.get(
    "/preprocess/{job_id}",
    operation_id="get_preprocessing",
    responses=problems(Unauthenticated, NotFound, InvalidField, LedgerUnavailable, StoreUnavailable),
)
async def get_preprocessing(services: ServicesOf, tenant: Tenant, job_id: JobId) -> Preprocessing:
    """A control map that is being made, or was: kept as long as a generation's record; the map itself stays."""
    return await shown(services, await services.ledger.get(tenant, job_id))


@router.delete(
    "/preprocess/{job_id}",
    operation_id="cancel_preprocessing",
    responses=problems(Unauthenticated, NotFound, InvalidField, LedgerUnavailable, StoreUnavailable),
)
async def cancel_preprocessing(services: ServicesOf, tenant: Tenant, job_id: JobId) -> Preprocessing:
    """Cancel it for all who asked for this map; one that has ended is answered as it is."""
    return await shown(services, await cancel(services, tenant, job_id))


@router.get("/preprocessors", operation_id="list_preprocessors", responses=problems(Unauthenticated))
async def list_preprocessors(services: ServicesOf, _: Tenant) -> Preprocessors:
    """The types of control map that can be made here, and of the others, what is missing."""
    known = services.catalog.preprocessors
    return Preprocessors(
        preprocessors=[
            Preprocessor(type=spec.type, method=spec.method, digest=spec.digest, weights=spec.files)
            for spec in known.specs()
        ],
        unavailable=[AbsentPreprocessor(type=kind, reason=reason) for kind, reason in known.absent().items()],
    )


async def _default_wait(services: Services) -> int:
    return DEFAULT_WAIT_SECONDS if PREPROCESSING in await services.ledger.serving() else 0
