"""Whom a job's webhook tells what, and how far the telling has come."""

from enum import StrEnum
from typing import Final, Literal, get_args

from pydantic import Field

from darkroom.contract.base import Settled

WebhookEvent = Literal[
    "generation.succeeded",
    "generation.failed",
    "generation.canceled",
    "generation.expired",
    "generation.blocked",
    "generation.running",
    "generation.progress",
]
WEBHOOK_EVENTS: Final[tuple[WebhookEvent, ...]] = get_args(WebhookEvent)
ENDS: Final = WEBHOOK_EVENTS[:5]
Shape = Literal["darkroom", "replicate"]
PROGRESS: Final = "generation.progress"


class Webhook(Settled):
    """What a job carries for its receiver. `url` may hold secrets: of it, only `host` is ever logged.

    `base` is where the caller reached this service, for the URLs in what is told. `shape`: in whose words it is told.
    """

    url: str
    host: str
    base: str
    events: tuple[WebhookEvent, ...]
    shape: Shape = "darkroom"


class DeliveryState(StrEnum):
    """`pending -> delivered | dead`, and by replay back to `pending`."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


Fault = Literal["refused", "unreachable", "timeout", "no_secret", "internal"]
Reason = Literal["attempts_exhausted", "endpoint_gone", "endpoint_disabled", "record_gone"]


class Attempt(Settled):
    """One try at a delivery. What the receiver said is not kept, only the status it said it with."""

    number: int = Field(description="from 1, over all replays")
    at: float
    status: int | None = Field(description="of the receiver's answer; null without one")
    fault: Fault | None = Field(
        description="why there was no answer: nobody is let go there, nobody answered, the time was over, your tenant"
        " has no secret to sign with, or the service could not make the message"
    )
    milliseconds: int


class Delivery(Settled):
    """One message to one receiver. `id` is its `webhook-id`, on every attempt. Times are Unix seconds by the ledger."""

    id: str
    tenant: str
    job_id: str
    event: WebhookEvent
    url: str
    state: DeliveryState
    reason: Reason | None = None
    attempts: int
    created_at: float
    due_at: float | None = None
    ended_at: float | None = None


class LentDelivery(Settled):
    """A delivery lent to a courier: attempt `number` is its to make, the `turn`-th of this schedule, from 0.

    `body` is what every attempt sends, None until the first one has made it. `trace`: the `traceparent` of the request
    that asked for the job, if it was traced.
    """

    id: str
    tenant: str
    job_id: str
    event: WebhookEvent
    url: str
    base: str
    lane: str
    created_at: float
    number: int
    turn: int
    body: str | None
    trace: str | None = None


class Verdict(Settled):
    """What follows from an attempt: an end in `state`, or with `pending` another attempt in `delay` seconds.

    `disable`: the receiver wants nothing more at this URL.
    """

    state: DeliveryState
    delay: float = 0.0
    reason: Reason | None = None
    disable: bool = False


def lane_of(host: str, tenant: str) -> str:
    """Deliveries to one host for one tenant wait for each other, and for nobody else. No host has a space."""
    return f"{host} {tenant}"
