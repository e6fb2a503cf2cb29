"""Deliveries of webhooks, as callers see them."""

from datetime import datetime

from pydantic import Field

from darkroom.contract.document import Resource
from darkroom.contract.webhook import DeliveryState, Fault, Reason, WebhookEvent


class AttemptShown(Resource):
    """One try at a delivery. What the receiver said is not kept, only the status it said it with."""

    number: int = Field(description="from 1, over all replays")
    at: datetime
    status: int | None = Field(description="of the receiver's answer; null without one")
    fault: Fault | None = Field(description="in the place of an answer: what there was instead")
    milliseconds: int


class DeliveryShown(Resource):
    """One message to one receiver. `id` is its `webhook-id`, on every attempt."""

    id: str
    event: WebhookEvent
    generation: str = Field(description="id of the generation it tells of")
    url: str
    state: DeliveryState
    reason: Reason | None = Field(description="why it is dead")
    attempts: int = Field(description="how many were made")
    created_at: datetime
    due_at: datetime | None = Field(description="when the next attempt is due, while pending")
    ended_at: datetime | None


class DeliveryDetail(DeliveryShown):
    """A delivery with its latest attempts, oldest first."""

    log: list[AttemptShown]


class DeliveryList(Resource):
    """Newest first."""

    deliveries: list[DeliveryShown]
    cursor: str | None = Field(description="give it back as `cursor` for the next page; a page before may be short")


class Replayed(Resource):
    """How many are due now. Those of disabled endpoints are not among them."""

    replayed: int
    cursor: str | None = Field(description="where there are more: ask again with it")


class DisabledEndpoint(Resource):
    """A URL whose receiver answered 410."""

    url: str
    since: datetime


class Endpoints(Resource):
    disabled: list[DisabledEndpoint]
