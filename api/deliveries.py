"""What callers see of deliveries, and how they have them made again."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from api.patterns import DELIVERY_CURSOR_PATTERN, MOMENT_PATTERN
from darkroom.contract.base import Asked
from darkroom.contract.deliveries import (
    AttemptShown,
    DeliveryDetail,
    DeliveryShown,
    DisabledEndpoint,
    Endpoints,
    Replayed,
)
from darkroom.contract.webhook import Attempt, Delivery, DeliveryState
from darkroom.errors import EndpointDisabled, InvalidField, NotFound
from darkroom.ledger.deliveries import Deliveries, Wanted

PAGE: Final = 100
MOST_PAGES: Final = 100  # of one replay: more would keep its caller waiting

Moment = Annotated[str, Field(pattern=MOMENT_PATTERN, json_schema_extra={"format": "date-time"})]


class ReplayAsked(Asked):
    """Which deliveries to make again: those of events in [after, before), in one of these states."""

    after: Moment | None = None
    before: Moment | None = None
    states: tuple[Literal["delivered", "dead"], ...] = Field(default=("dead",), min_length=1, max_length=2)
    cursor: Annotated[str, Field(pattern=DELIVERY_CURSOR_PATTERN)] | None = Field(
        default=None, description="that of the answer before, to go on"
    )


class EnableAsked(Asked):
    url: str = Field(max_length=2048)


def moment(field: str, text: str | None) -> float | None:
    """Unix seconds. Raises: InvalidField for a day that there is not."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise InvalidField(field, "no such moment") from None


def shown(delivery: Delivery) -> DeliveryShown:
    return DeliveryShown(
        id=delivery.id,
        event=delivery.event,
        generation=delivery.job_id,
        url=delivery.url,
        state=delivery.state,
        reason=delivery.reason,
        attempts=delivery.attempts,
        created_at=_moment(delivery.created_at),
        due_at=None if delivery.due_at is None else _moment(delivery.due_at),
        ended_at=None if delivery.ended_at is None else _moment(delivery.ended_at),
    )


async def detailed(deliveries: Deliveries, tenant: str, delivery_id: str) -> DeliveryDetail:
    """Raises: NotFound, LedgerUnavailable."""
    delivery, attempts = await deliveries.get(tenant, delivery_id)
    return DeliveryDetail(**dict(shown(delivery)), log=[_attempt(attempt) for attempt in attempts])


async def replay_one(deliveries: Deliveries, tenant: str, delivery_id: str) -> None:
    """Raises: NotFound; EndpointDisabled, as it would end at once; LedgerUnavailable."""
    delivery, _ = await deliveries.get(tenant, delivery_id)
    if delivery.url in await deliveries.disabled(tenant):
        raise EndpointDisabled("its receiver answered 410 at this URL: enable the endpoint first")
    await deliveries.replay(tenant, [delivery_id])


async def replay_many(deliveries: Deliveries, tenant: str, asked: ReplayAsked) -> Replayed:
    """Raises: InvalidField, LedgerUnavailable."""
    states = tuple(map(DeliveryState, asked.states))
    wanted = Wanted(states=states, after=moment("after", asked.after), before=moment("before", asked.before))
    disabled = await deliveries.disabled(tenant)
    replayed, cursor = 0, asked.cursor
    for _ in range(MOST_PAGES):
        page = await deliveries.list(tenant, wanted, limit=PAGE, cursor=cursor)
        ids = [delivery.id for delivery in page.deliveries if delivery.url not in disabled]
        replayed += await deliveries.replay(tenant, ids) if ids else 0
        cursor = page.cursor
        if cursor is None:
            break
    return Replayed(replayed=replayed, cursor=cursor)


async def endpoints(deliveries: Deliveries, tenant: str) -> Endpoints:
    """Raises: LedgerUnavailable."""
    found = await deliveries.disabled(tenant)
    return Endpoints(disabled=[DisabledEndpoint(url=url, since=_moment(at)) for url, at in sorted(found.items())])


async def enable(deliveries: Deliveries, tenant: str, url: str) -> Endpoints:
    """Raises: NotFound for an endpoint that is not disabled; LedgerUnavailable."""
    if not await deliveries.enable(tenant, url):
        raise NotFound("no such disabled endpoint")
    return await endpoints(deliveries, tenant)


def _attempt(attempt: Attempt) -> AttemptShown:
    return AttemptShown(**attempt.model_dump(exclude={"at"}), at=_moment(attempt.at))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
