"""What became of your webhooks, and making them again."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, TypeAdapter

from api.body import read_validated
from api.deliveries import (
    EnableAsked,
    ReplayAsked,
    detailed,
    enable,
    endpoints,
    moment,
    replay_many,
    replay_one,
    shown,
)
from api.deps import ServicesOf, Tenant
from api.documents import problems
from api.patterns import DELIVERY_CURSOR_PATTERN, DELIVERY_ID_PATTERN, MOMENT_PATTERN
from darkroom.contract.deliveries import DeliveryDetail, DeliveryList, Endpoints, Replayed
from darkroom.contract.webhook import DeliveryState
from darkroom.errors import (
    CapacityError,
    EndpointDisabled,
    InvalidField,
    LedgerUnavailable,
    MalformedBody,
    NotFound,
    PayloadTooLarge,
    TenantLimit,
    Unauthenticated,
    UnsupportedMediaType,
)
from darkroom.ledger.deliveries import Wanted

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

_LOOKED = (Unauthenticated, InvalidField, LedgerUnavailable)
_POSTED = (*_LOOKED, MalformedBody, PayloadTooLarge, UnsupportedMediaType, CapacityError, TenantLimit)
_REPLAY: Final = TypeAdapter(ReplayAsked)
_ENABLE: Final = TypeAdapter(EnableAsked)


def _delivery_id(
    delivery_id: Annotated[
        str, Path(description="id of a delivery", json_schema_extra={"pattern": DELIVERY_ID_PATTERN})
    ],
) -> str:
    """A malformed id is an unknown id."""
    if not re.fullmatch(DELIVERY_ID_PATTERN, delivery_id):
        raise NotFound("no such delivery")
    return delivery_id


def _body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": model.model_json_schema(), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


DeliveryId = Annotated[str, Depends(_delivery_id)]
States = Annotated[list[DeliveryState] | None, Query(description="in one of these states; all if absent")]
OfJob = Annotated[str | None, Query(min_length=1, max_length=64, description="that tell of this generation")]
Limit = Annotated[int, Query(ge=1, le=100, description="most deliveries in the page")]
Cursor = Annotated[str | None, Query(pattern=DELIVERY_CURSOR_PATTERN, description="`cursor` of the page before")]
_WHEN: dict[str, Any] = {"pattern": MOMENT_PATTERN, "examples": ["2026-11-29T16:00:00Z"]}
After = Annotated[str | None, Query(description="of events at this moment or later", **_WHEN)]
Before = Annotated[str | None, Query(description="of events before this moment", **_WHEN)]


@dataclass(frozen=True)
class Page:
    """Where a list goes on, and for how long."""

    limit: Limit = 20
    cursor: Cursor = None


Paging = Annotated[Page, Depends(Page)]


@router.get("/deliveries", operation_id="list_deliveries", responses=problems(*_LOOKED))
async def list_deliveries(
    services: ServicesOf,
    tenant: Tenant,
    paging: Paging,
    state: States = None,
    generation: OfJob = None,
    after: After = None,
    before: Before = None,
) -> DeliveryList:
    """Your deliveries, newest first."""
    wanted = Wanted(
        states=tuple(state or ()), job_id=generation, after=moment("after", after), before=moment("before", before)
    )
    page = await services.ledger.deliveries.list(tenant, wanted, limit=paging.limit, cursor=paging.cursor)
    return DeliveryList(deliveries=list(map(shown, page.deliveries)), cursor=page.cursor)


@router.get("/deliveries/{delivery_id}", operation_id="get_delivery", responses=problems(*_LOOKED, NotFound))
async def get_delivery(services: ServicesOf, tenant: Tenant, delivery_id: DeliveryId) -> DeliveryDetail:
    """One delivery, and the attempts at it."""
    return await detailed(services.ledger.deliveries, tenant, delivery_id)


@router.post(
    "/deliveries/{delivery_id}/replay",
    operation_id="replay_delivery",
    responses=problems(*_LOOKED, NotFound, EndpointDisabled),
)
async def replay_delivery(services: ServicesOf, tenant: Tenant, delivery_id: DeliveryId) -> DeliveryDetail:
    """Make it again, now, under the same id and with a schedule of its own; also one that was delivered."""
    await replay_one(services.ledger.deliveries, tenant, delivery_id)
    return await detailed(services.ledger.deliveries, tenant, delivery_id)


@router.post(
    "/replay",
    operation_id="replay_deliveries",
    openapi_extra=_body(ReplayAsked, {"after": "2026-11-29T16:00:00Z", "states": ["dead"]}),
    responses=problems(*_POSTED),
)
async def replay_deliveries(request: Request, services: ServicesOf, tenant: Tenant) -> Replayed:
    """Make all deliveries of a time again, as after an outage of your receiver."""
    return await replay_many(services.ledger.deliveries, tenant, await read_validated(request, _REPLAY))


@router.get("/endpoints", operation_id="list_endpoints", responses=problems(*_LOOKED))
async def list_endpoints(services: ServicesOf, tenant: Tenant) -> Endpoints:
    """Your URLs that are sent nothing more, because their receiver answered 410."""
    return await endpoints(services.ledger.deliveries, tenant)


@router.post(
    "/endpoints/enable",
    operation_id="enable_endpoint",
    openapi_extra=_body(EnableAsked, {"url": "https://hooks.example.com/darkroom"}),
    responses=problems(*_POSTED, NotFound),
)
async def enable_endpoint(request: Request, services: ServicesOf, tenant: Tenant) -> Endpoints:
    """Send to this URL again. What ended meanwhile can be replayed."""
    asked = await read_validated(request, _ENABLE)
    return await enable(services.ledger.deliveries, tenant, asked.url)
