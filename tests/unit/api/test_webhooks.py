"""Deliveries and endpoints, as their tenant sees them and nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from darkroom.contract.webhook import Attempt, DeliveryState, Verdict
from darkroom.ledger.deliveries import Room
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, ask, bearer, client_of, problem_in
from tests.receiver import OTHER_SECRET, SECRET

DELIVERIES = "/api/v1/webhooks/deliveries"
REPLAY = "/api/v1/webhooks/replay"
ENDPOINTS = "/api/v1/webhooks/endpoints"
URL = "https://hooks.example.com/a?token=x"
ROOM = Room(free=99, per_lane=99, per_tenant=99)
UNKNOWN = "msg_01ARZ3NDEKTSV4RRFFQ69G5FAV_1"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


@pytest.fixture
def services() -> Services:
    CLOCK.now = Clock.now
    secrets = {"alice": [SECRET], "bob": [OTHER_SECRET]}
    return fake_services(CLOCK, allow_anonymous=False, api_keys=API_KEYS, webhook_secrets=secrets)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(services, "alice") as client:
        yield client


async def ended(client: httpx.AsyncClient, url: str = URL) -> str:
    """The id of the delivery of a generation that was canceled."""
    asked = await ask(client, webhook_url=url)
    await client.delete(f"{GENERATIONS}/{asked['id']}")
    return f"msg_{asked['id']}_1"


async def tried(services: Services, status: int, **verdict: Any) -> None:
    """All that is due was answered with this status."""
    for lent in await services.ledger.deliveries.take(ROOM, 30, {}):
        attempt = Attempt(number=lent.number, at=CLOCK.now, status=status, fault=None, milliseconds=12)
        assert await services.ledger.deliveries.note(lent.id, attempt, Verdict(**verdict))


async def dead(services: Services) -> None:
    await tried(services, 500, state=DeliveryState.DEAD, reason="attempts_exhausted")


async def listed(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get(DELIVERIES, params=query)
    assert answer.status_code == 200, answer.text
    return [delivery["id"] for delivery in answer.json()["deliveries"]]


async def test_a_delivery_is_shown_with_its_attempts(client: httpx.AsyncClient, services: Services) -> None:
    delivery = await ended(client)
    await tried(services, 503, state=DeliveryState.PENDING, delay=60)
    found = (await client.get(f"{DELIVERIES}/{delivery}")).json()
    at = "2027-01-15T08:00:00Z"
    assert found == {
        "id": delivery,
        "event": "generation.canceled",
        "generation": delivery[4:30],
        "url": URL,
        "state": "pending",
        "reason": None,
        "attempts": 1,
        "created_at": at,
        "due_at": "2027-01-15T08:01:00Z",
        "ended_at": None,
        "log": [{"number": 1, "at": at, "status": 503, "fault": None, "milliseconds": 12}],
    }


async def test_deliveries_are_listed_by_state_job_and_time(client: httpx.AsyncClient, services: Services) -> None:
    first = await ended(client)
    await dead(services)
    CLOCK.now += 60
    second = await ended(client)
    assert await listed(client) == [second, first]
    assert await listed(client, state="dead") == [first]
    assert await listed(client, state=["dead", "pending"]) == [second, first]
    assert await listed(client, generation=second[4:30]) == [second]
    assert await listed(client, after="2027-01-15T08:00:30Z") == [second]
    assert await listed(client, before="2027-01-15T10:00:30+02:00") == [first]
    page = (await client.get(DELIVERIES, params={"limit": 1})).json()
    assert await listed(client, limit=1, cursor=page["cursor"]) == [first]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "running"},
        {"after": "yesterday"},
        {"after": "2027-02-30T00:00:00Z"},
        {"before": "2027-01-15T08:00:00"},
        {"cursor": "x"},
        {"limit": 0},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(client: httpx.AsyncClient, query: dict[str, Any]) -> None:
    refused = problem_in(await client.get(DELIVERIES, params=query))
    assert (refused["status"], refused["field"].split(".")[0]) == (422, next(iter(query)))


async def test_a_dead_delivery_is_made_again(client: httpx.AsyncClient, services: Services) -> None:
    delivery = await ended(client)
    await dead(services)
    again = await client.post(f"{DELIVERIES}/{delivery}/replay")
    assert (again.status_code, again.json()["state"], again.json()["reason"]) == (200, "pending", None)
    assert [lent.id for lent in await services.ledger.deliveries.take(ROOM, 30, {})] == [delivery]


async def test_all_of_a_time_are_made_again(client: httpx.AsyncClient, services: Services) -> None:
    for _ in range(3):
        await ended(client)
    await dead(services)
    delivered = await ended(client)
    await tried(services, 200, state=DeliveryState.DELIVERED)
    CLOCK.now += 60
    await ended(client)
    await dead(services)
    answer = await client.post(REPLAY, json={"before": "2027-01-15T08:00:30Z"})
    assert answer.json() == {"replayed": 3, "cursor": None}
    assert await listed(client, state="delivered") == [delivered]
    everything = await client.post(REPLAY, json={"states": ["delivered", "dead"]})
    assert everything.json()["replayed"] == 2


async def test_a_large_replay_goes_on_by_its_cursor(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.deliveries.PAGE", 2)
    monkeypatch.setattr("api.deliveries.MOST_PAGES", 1)
    for _ in range(3):
        await ended(client)
    await dead(services)
    first = (await client.post(REPLAY, json={})).json()
    assert (first["replayed"], first["cursor"] is None) == (2, False)
    assert (await client.post(REPLAY, json={"cursor": first["cursor"]})).json() == {"replayed": 1, "cursor": None}


@pytest.mark.parametrize("body", [{"states": []}, {"states": ["pending"]}, {"after": "0"}, {"after": 0}, {"x": 1}])
async def test_a_replay_of_nothing_known_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert problem_in(await client.post(REPLAY, json=body))["status"] == 422


async def test_an_endpoint_that_is_gone_is_told_and_enabled(client: httpx.AsyncClient, services: Services) -> None:
    delivery = await ended(client)
    await tried(services, 410, state=DeliveryState.DEAD, reason="endpoint_gone", disable=True)
    assert (await client.get(ENDPOINTS)).json() == {"disabled": [{"url": URL, "since": "2027-01-15T08:00:00Z"}]}
    refused = problem_in(await client.post(f"{DELIVERIES}/{delivery}/replay"))
    assert (refused["status"], refused["code"]) == (409, "endpoint_disabled")
    assert (await client.post(REPLAY, json={})).json()["replayed"] == 0
    assert (await client.post(f"{ENDPOINTS}/enable", json={"url": URL})).json() == {"disabled": []}
    assert problem_in(await client.post(f"{ENDPOINTS}/enable", json={"url": URL}))["status"] == 404
    assert (await client.post(f"{DELIVERIES}/{delivery}/replay")).status_code == 200


async def test_another_tenant_sees_and_moves_nothing(client: httpx.AsyncClient, services: Services) -> None:
    delivery = await ended(client)
    await tried(services, 410, state=DeliveryState.DEAD, reason="endpoint_gone", disable=True)
    headers = bearer("bob")
    for name in (delivery, UNKNOWN, "msg_x"):
        for answer in (
            await client.get(f"{DELIVERIES}/{name}", headers=headers),
            await client.post(f"{DELIVERIES}/{name}/replay", headers=headers),
        ):
            assert (problem_in(answer)["code"], answer.json()["detail"]) == ("not_found", "no such delivery")
    assert (await client.get(DELIVERIES, headers=headers)).json() == {"deliveries": [], "cursor": None}
    assert (await client.post(REPLAY, json={}, headers=headers)).json()["replayed"] == 0
    assert (await client.get(ENDPOINTS, headers=headers)).json() == {"disabled": []}
    enabled = await client.post(f"{ENDPOINTS}/enable", json={"url": URL}, headers=headers)
    assert problem_in(enabled)["status"] == 404
    assert (await client.get(f"{DELIVERIES}/{delivery}")).json()["state"] == "dead"


async def test_a_disabled_endpoint_of_one_tenant_is_open_to_another(
    client: httpx.AsyncClient, services: Services
) -> None:
    await ended(client)
    await tried(services, 410, state=DeliveryState.DEAD, reason="endpoint_gone", disable=True)
    asked = await client.post(GENERATIONS, json={"prompt": "x", "webhook_url": URL}, headers=bearer("bob"))
    await client.delete(f"{GENERATIONS}/{asked.json()['id']}", headers=bearer("bob"))
    assert [lent.tenant for lent in await services.ledger.deliveries.take(ROOM, 30, {})] == ["bob"]
