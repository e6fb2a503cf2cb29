"""Nobody may ask without end what a picture carries."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from api.lookups import network_of
from darkroom.errors import LedgerUnavailable
from darkroom.ledger.memory import MemoryLedger
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, bearer, client_of, problem_in

VERIFY = "/api/v1/provenance/verify"


def limited(**settings: Any) -> Services:
    return fake_services(allow_anonymous=False, api_keys=API_KEYS, **settings)


async def look(client: httpx.AsyncClient, tenant: str) -> httpx.Response:
    """With what is no picture: it counts as one, and costs nothing to look at."""
    return await client.post(VERIFY, content=b"x", headers={"Content-Type": "image/png"} | bearer(tenant))


async def test_a_tenant_that_asks_too_often_is_told_when_to_come_back() -> None:
    async with client_of(limited(verify_per_minute=2)) as client:
        assert [(await look(client, "alice")).status_code for _ in range(2)] == [422, 422]
        refused = await look(client, "alice")
        assert (refused.status_code, problem_in(refused)["code"]) == (429, "rate_limited")
        assert problem_in(refused)["retryable"] is True
        # Half a minute, and up to half of that on top, so that not all come back at once.
        assert 1 <= int(refused.headers["Retry-After"]) <= 45
        assert (await look(client, "bob")).status_code == 422


async def test_all_tenants_of_one_address_share_its_allowance() -> None:
    async with client_of(limited(verify_per_minute_and_address=2)) as client:
        assert [(await look(client, tenant)).status_code for tenant in ("alice", "bob")] == [422, 422]
        assert (await look(client, "bob")).status_code == 429


async def test_gateways_of_one_ledger_count_together() -> None:
    services = limited(verify_per_minute=2)
    async with client_of(services) as left, client_of(services) as right:
        answers = [await look(client, "alice") for client in (left, right, left)]
    assert [answer.status_code for answer in answers] == [422, 422, 429]


async def test_a_gateway_counts_by_itself_while_the_ledger_is_away() -> None:
    class Away(MemoryLedger):
        async def spend(self, *_: object) -> float:
            raise LedgerUnavailable("away")

    async with client_of(replace(limited(verify_per_minute=2), ledger=Away())) as client:
        assert [(await look(client, "alice")).status_code for _ in range(3)] == [422, 422, 429]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_of_one_network_are_one_caller(address: str, network: str) -> None:
    assert network_of(Request({"type": "http", "client": (address, 1)})) == network
