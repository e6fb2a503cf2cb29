"""Who is refused by what they ask for, and what the others are told of their wait."""

import time
from datetime import UTC, datetime

import httpx
import pytest

from darkroom.contract.job import Progress
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import API_KEYS, GENERATIONS, ask, bearer, claim_one, client_of, finish_one, problem_in

MODEL = "tiny"


def moment(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


async def refused(client: httpx.AsyncClient, tenant: str | None = None, **fields: object) -> tuple[int, str]:
    headers = bearer(tenant) if tenant else {}
    answer = await client.post(GENERATIONS, json={"prompt": "a", **fields}, headers=headers)
    problem = problem_in(answer)
    if problem["status"] in (429, 503):
        assert 1 <= int(answer.headers["Retry-After"]) <= 450
    return problem["status"], problem["code"]


async def test_each_tenant_has_the_limits_it_was_given() -> None:
    quotas = {"alice": {"max_queued": 1}, "bob": {"per_minute": 2}}
    services = fake_services(allow_anonymous=False, api_keys=API_KEYS, tenants=quotas)
    async with client_of(services) as client:
        for tenant, most, code in (("alice", 1, "tenant_limit"), ("bob", 2, "rate_limited")):
            for _ in range(most):
                answer = await client.post(GENERATIONS, json={"prompt": "a"}, headers=bearer(tenant))
                assert answer.status_code == 202
            assert await refused(client, tenant) == (429, code)


async def test_a_replay_costs_nothing_of_what_may_be_asked_for() -> None:
    services = fake_services(tenants={"local": {"per_minute": 1}})
    async with client_of(services) as client:
        for _ in range(3):
            answer = await client.post(GENERATIONS, json={"prompt": "a"}, headers={"Idempotency-Key": "k"})
            assert answer.status_code == 202
        assert await refused(client) == (429, "rate_limited")


@pytest.mark.parametrize("fields", [{"n": 16, "steps": 150}, {"n": 16, "width": 256, "height": 256, "steps": 60}])
async def test_a_request_beyond_what_one_may_cost_is_refused(fields: dict[str, int]) -> None:
    services = fake_services(max_job_seconds=30)
    async with client_of(services) as client:
        assert await refused(client, **fields) == (422, "job_too_large")
        await ask(client)


async def test_the_service_is_full_by_device_seconds() -> None:
    services = fake_services(max_queued_seconds=1)
    async with client_of(services) as client:
        await ask(client)
        assert await refused(client) == (503, "queue_full")


async def test_a_deadline_that_would_be_missed_is_refused(services: Services, client: httpx.AsyncClient) -> None:
    await services.ledger.attend("worker-1", [MODEL])
    for _ in range(3):
        await ask(client, n=8)
    assert await refused(client, deadline=5) == (503, "deadline_too_soon")
    await ask(client, deadline=500)


async def test_a_waiting_generation_says_where_it_stands_and_when_it_will_have_ended(
    services: Services, client: httpx.AsyncClient
) -> None:
    await services.ledger.attend("worker-1", [MODEL])
    first = await ask(client)
    alone = first["plan"]["predicted_seconds"]
    answer = await client.post(GENERATIONS, json={"prompt": "a", "n": 5})
    told = answer.json()
    assert told["queue"] == {"position": 1, "ahead_seconds": pytest.approx(alone), "workers": 1}
    assert moment(told["eta"]) == pytest.approx(time.time() + 6 * alone, abs=1)
    assert abs(int(answer.headers["Retry-After"]) - 6 * alone) <= 1
    shown = (await client.get(told["links"]["self"])).json()
    listed = {job["id"]: job for job in (await client.get(GENERATIONS)).json()["generations"]}
    assert shown["queue"] == listed[told["id"]]["queue"] == told["queue"]
    assert listed[first["id"]]["queue"]["position"] == 0


async def test_without_workers_nobody_knows_when(client: httpx.AsyncClient) -> None:
    told = await ask(client)
    assert (told["queue"]["workers"], told["eta"]) == (0, None)


async def test_a_running_generation_is_expected_to_go_on_at_its_pace(
    services: Services, client: httpx.AsyncClient
) -> None:
    told = await ask(client)
    claim = await claim_one(services)
    running = (await client.get(told["links"]["self"])).json()
    assert running["queue"] is None
    predicted = told["plan"]["predicted_seconds"]
    assert moment(running["eta"]) == pytest.approx(moment(running["started_at"]) + predicted, abs=0.5)
    await services.ledger.report((claim.job_id, claim.attempt, Progress(step=20, steps=20)))
    assert moment((await client.get(told["links"]["self"])).json()["eta"]) == pytest.approx(time.time(), abs=0.5)


async def test_what_has_ended_is_expected_no_more(services: Services, client: httpx.AsyncClient) -> None:
    told = await ask(client)
    await finish_one(services)
    ended = (await client.get(told["links"]["self"])).json()
    assert (ended["queue"], ended["eta"]) == (None, None)
