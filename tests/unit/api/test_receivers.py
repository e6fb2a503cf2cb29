"""Webhooks of a generation, as a caller asks for them."""

from typing import Any

import pytest

from darkroom.contract.webhook import ENDS, WEBHOOK_EVENTS
from darkroom.ledger.deliveries import Room
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, ask, client_of, problem_in
from tests.receiver import SECRET

URL = "https://hooks.example.com/a?token=x"
SECRETS: dict[str, Any] = {"allow_anonymous": False, "api_keys": API_KEYS, "webhook_secrets": {"alice": [SECRET]}}


async def test_an_end_is_announced_to_the_url_that_was_asked_for() -> None:
    services = fake_services(**SECRETS)
    async with client_of(services, "alice") as client:
        asked = await ask(client, webhook_url=URL)
        await client.delete(f"{GENERATIONS}/{asked['id']}")
        assert URL not in str(asked)
    (lent,) = await services.ledger.deliveries.take(Room(free=9, per_lane=9, per_tenant=9), 30, {})
    assert (lent.url, lent.event, lent.lane) == (URL, "generation.canceled", "hooks.example.com alice")
    assert asked["links"]["self"].startswith(lent.base)


async def test_without_events_it_is_the_ends_and_a_set_has_no_order() -> None:
    services = fake_services(**SECRETS)
    async with client_of(services, "alice") as client:
        headers = {"Idempotency-Key": "k"}
        named = {"prompt": "x", "webhook_url": URL, "webhook_events": [*ENDS[::-1], ENDS[0]]}
        first = await client.post(GENERATIONS, json={"prompt": "x", "webhook_url": URL}, headers=headers)
        again = await client.post(GENERATIONS, json=named, headers=headers)
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json()["id"] == first.json()["id"]
        other = await client.post(GENERATIONS, json={**named, "webhook_events": WEBHOOK_EVENTS}, headers=headers)
        assert problem_in(other)["code"] == "idempotency_mismatch"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::7f00:1]/",
        "http://169.254.169.254/latest/",
        "http://①②⑦.⓪.⓪.①/",
        "http://u:p@8.8.8.8/",
        "http://127.0.0.1\\@example.com/",
        "http://8.8.8.8:6379/",
        "hooks.example.com",
        "https://hooks.example.com/\x00",
        "https://hooks.example.com/ a",
    ],
)
async def test_a_url_that_nobody_is_let_go_to_is_refused_at_once(url: str) -> None:
    async with client_of(fake_services(**SECRETS), "alice") as client:
        refused = problem_in(await client.post(GENERATIONS, json={"prompt": "x", "webhook_url": url}))
    assert (refused["status"], refused["code"], refused["field"]) == (422, "url_refused", "webhook_url")


async def test_nothing_is_promised_that_could_not_be_signed() -> None:
    async with client_of(fake_services(**SECRETS), "bob") as client:
        refused = problem_in(await client.post(GENERATIONS, json={"prompt": "x", "webhook_url": URL}))
    assert (refused["status"], refused["code"], refused["field"]) == (422, "no_webhook_secret", "webhook_url")


@pytest.mark.parametrize("events", [[], ["generation.queued"], "generation.failed", [1]])
async def test_events_that_there_are_not_are_refused(events: object) -> None:
    async with client_of(fake_services(**SECRETS), "alice") as client:
        asked = {"prompt": "x", "webhook_url": URL, "webhook_events": events}
        refused = problem_in(await client.post(GENERATIONS, json=asked))
    assert refused["status"] == 422
