"""What became of webhooks, and making them again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from darkroom.client.flows.places import place_in
from darkroom.client.flows.sending import document
from darkroom.client.steps import Flow, Request, Tell
from darkroom.contract.deliveries import DeliveryDetail, DeliveryList, Endpoints, Replayed

PAGE = 100
WEBHOOKS = "/api/v1/webhooks"
DELIVERIES = f"{WEBHOOKS}/deliveries"


def deliveries(filters: dict[str, Any], retries: int) -> Flow[None]:
    """Tells each, newest first, page by page as they are wanted."""
    params = {"limit": PAGE, **_given(filters)}
    while True:
        page = yield from document(Request("GET", DELIVERIES, params=params), DeliveryList, retries)
        for delivery in page.deliveries:
            yield Tell(delivery)
        if page.cursor is None:
            return
        params = {**params, "cursor": page.cursor}


def delivery(delivery_id: str, retries: int) -> Flow[DeliveryDetail]:
    return document(Request("GET", place_in(DELIVERIES, delivery_id)), DeliveryDetail, retries)


def replayed(delivery_id: str, retries: int) -> Flow[DeliveryDetail]:
    """Receivers know it by its id, but are told each time: what may have arrived is not sent twice by us."""
    request = Request("POST", f"{place_in(DELIVERIES, delivery_id)}/replay", repeatable=False)
    return document(request, DeliveryDetail, retries)


def all_replayed(filters: dict[str, Any], retries: int) -> Flow[int]:
    """How many, over as many requests as it takes."""
    count, asked = 0, _given(filters)
    while True:
        request = Request("POST", f"{WEBHOOKS}/replay", json=asked, repeatable=False)
        answer = yield from document(request, Replayed, retries)
        count += answer.replayed
        if answer.cursor is None:
            return count
        asked = {**asked, "cursor": answer.cursor}


def endpoints(retries: int) -> Flow[Endpoints]:
    return document(Request("GET", f"{WEBHOOKS}/endpoints"), Endpoints, retries)


def enabled(url: str, retries: int) -> Flow[Endpoints]:
    """Not repeated: the second time there is no disabled endpoint any more."""
    return document(
        Request("POST", f"{WEBHOOKS}/endpoints/enable", json={"url": url}, repeatable=False), Endpoints, retries
    )


def _given(filters: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in filters.items() if value is not None}


def _plain(value: datetime | str | Sequence[str]) -> str | list[str]:
    if isinstance(value, datetime):
        return value.astimezone().isoformat()
    return value if isinstance(value, str) else list(value)
