"""Generations that were given up because workers died with them."""

import httpx

from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, ask, claim_one, client_of, fail_one, problem_in

DIED = "child died: signal 9 (SIGKILL)"


async def given_up(services: Services) -> str:
    claim = await claim_one(services)
    await services.ledger.abandon("worker-1", DIED)
    assert (await services.ledger.reap()).ended == (claim.job_id,)
    return claim.job_id


async def test_dead_letters_are_listed_by_themselves_and_say_how_each_attempt_was_lost() -> None:
    services = fake_services(max_attempts=1)
    async with client_of(services) as client:
        await ask(client)
        dead = await given_up(services)
        await ask(client)
        await fail_one(services)
        (listed,) = (await client.get(GENERATIONS, params={"failure": "attempts_exhausted"})).json()["generations"]
        assert len((await client.get(GENERATIONS)).json()["generations"]) == 2
    assert (listed["id"], listed["failure"]["code"]) == (dead, "attempts_exhausted")
    assert listed["failure"]["message"].endswith(DIED)
    (lost,) = listed["lost_attempts"]
    assert (lost["attempt"], lost["ended"], lost["killed"]) == (1, DIED, True)
    assert "worker" not in lost, "names of workers are names of machines"


async def test_no_other_failure_can_be_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.get(GENERATIONS, params={"failure": "out_of_memory"})
    assert problem_in(answer)["code"] == "invalid_field"
