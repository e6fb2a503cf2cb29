"""Who is served next."""

from collections import Counter

from darkroom.contract.job import JobState
from darkroom.ledger.protocol import Ledger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import START, claimed, position, submitted, succeeded


async def test_an_empty_ledger_lends_nothing(ledger: Ledger) -> None:
    assert await ledger.claim("worker", ["tiny"], 4) == []
    await submitted(ledger)
    assert await ledger.claim("worker", [], 4) == []
    assert await ledger.claim("worker", ["tiny"], 0) == []


async def test_a_claim_lends_the_whole_plan_for_one_lease(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    claim = await claimed(ledger)
    job = await ledger.get("ann", job_id)
    assert (claim.job_id, claim.tenant, claim.attempt, claim.plan) == (job_id, "ann", 1, job.plan)
    assert claim.lease_until == START + 15
    assert (job.state, job.attempt, job.started_at) == (JobState.RUNNING, 1, START)
    assert await position(ledger, job_id) is None


async def test_claim_takes_as_many_as_there_is_room_for(ledger: Ledger) -> None:
    ids = [await submitted(ledger) for _ in range(4)]
    assert [claim.job_id for claim in await ledger.claim("worker", ["tiny"], 3)] == ids[:3]
    assert [claim.job_id for claim in await ledger.claim("worker", ["tiny"], 3)] == ids[3:]


async def test_claim_skips_jobs_of_another_model(ledger: Ledger) -> None:
    await submitted(ledger, model="other")
    job_id = await submitted(ledger)
    assert [claim.job_id for claim in await ledger.claim("worker", ["tiny"], 2)] == [job_id]
    assert await ledger.waiting() == {"other": 1}


async def test_a_worker_of_several_models_takes_the_oldest_of_equals(ledger: Ledger) -> None:
    first = await submitted(ledger, model="other")
    second = await submitted(ledger)
    assert [claim.job_id for claim in await ledger.claim("worker", ["tiny", "other"], 2)] == [first, second]


async def test_interactive_goes_before_bulk_but_every_fifth_job_is_bulk(ledger: Ledger) -> None:
    for tenant in ("ann", "bob"):
        for priority in ("bulk", "bulk", "interactive", "interactive"):
            await submitted(ledger, tenant, priority=priority)
    claims = await ledger.claim("worker", ["tiny"], 8)
    assert [claim.plan.priority for claim in claims] == ["interactive"] * 4 + ["bulk"] * 4
    for _ in range(4):
        await submitted(ledger, priority="interactive")
    await submitted(ledger, priority="bulk")
    claims = await ledger.claim("worker", ["tiny"], 5)
    assert [claim.plan.priority for claim in claims] == ["interactive", "bulk", *["interactive"] * 3]


async def test_one_claim_for_many_shares_between_tenants(ledger: Ledger) -> None:
    for _ in range(4):
        await submitted(ledger, "ann")
    for _ in range(4):
        await submitted(ledger, "bob")
    claims = await ledger.claim("worker", ["tiny"], 4)
    assert Counter(claim.tenant for claim in claims) == {"ann": 2, "bob": 2}


async def test_a_flood_delays_a_single_job_by_one(ledger: Ledger) -> None:
    for _ in range(6):
        await submitted(ledger, "flood")
    await claimed(ledger)
    await submitted(ledger, "ann")
    served = [(await claimed(ledger)).tenant for _ in range(2)]
    assert "ann" in served


async def test_tenants_are_served_by_device_seconds_and_not_by_jobs(ledger: Ledger) -> None:
    """Ann's jobs cost three times Bob's: of eight, she gets two."""
    for _ in range(4):
        await submitted(ledger, "ann", predicted_seconds=3.0)
        await submitted(ledger, "bob", predicted_seconds=1.0)
    served = []
    for _ in range(4):
        claim = await claimed(ledger)
        served.append(claim.tenant)
        await ledger.finish(claim.job_id, claim.attempt, succeeded(claim.plan.predicted_seconds))
    assert Counter(served) == {"ann": 1, "bob": 3}


async def test_measured_seconds_replace_predicted_ones(ledger: Ledger) -> None:
    """Both are predicted alike, but Ann's job took long: Bob is owed the next two."""
    for tenant in ("ann", "bob"):
        for _ in range(3):
            await submitted(ledger, tenant)
    for claim in await ledger.claim("worker", ["tiny"], 2):
        await ledger.finish(claim.job_id, claim.attempt, succeeded(10.0 if claim.tenant == "ann" else 1.0))
    assert [claim.tenant for claim in await ledger.claim("worker", ["tiny"], 3)] == ["bob", "bob", "ann"]


async def test_use_is_forgiven_with_time(ledger: Ledger, clock: StillClock) -> None:
    """A minute halves what was used: after ten, four hundred seconds weigh less than one."""
    await submitted(ledger, "ann")
    claim = await claimed(ledger)
    await ledger.finish(claim.job_id, claim.attempt, succeeded(400.0))
    await clock.advance(600)
    await submitted(ledger, "bob", predicted_seconds=1.0)
    await submitted(ledger, "bob", predicted_seconds=1.0)
    await submitted(ledger, "ann")
    assert [claim.tenant for claim in await ledger.claim("worker", ["tiny"], 2)] == ["bob", "ann"]


async def test_a_newcomer_takes_turns_at_once(ledger: Ledger) -> None:
    """Ann used the device alone for long; that is no debt to Bob, who joins later."""
    await submitted(ledger, "ann", predicted_seconds=500.0)
    for _ in range(5):
        await submitted(ledger, "ann")
    claim = await claimed(ledger)
    await ledger.finish(claim.job_id, claim.attempt, succeeded(500.0))
    for _ in range(2):
        await submitted(ledger, "bob")
    assert [claim.tenant for claim in await ledger.claim("worker", ["tiny"], 4)] == ["ann", "bob", "ann", "bob"]


async def test_handing_back_gives_the_seconds_back(ledger: Ledger) -> None:
    first = await submitted(ledger, "ann", predicted_seconds=100.0)
    second = await submitted(ledger, "bob")
    await submitted(ledger, "bob")
    claim = await claimed(ledger)
    assert claim.job_id == first
    await ledger.release(first, claim.attempt)
    assert [claim.job_id for claim in await ledger.claim("worker", ["tiny"], 2)] == [first, second]


async def test_a_job_past_its_deadline_is_not_lent(ledger: Ledger, clock: StillClock) -> None:
    late = await submitted(ledger, deadline_at=START + 5)
    fine = await submitted(ledger, deadline_at=START + 50)
    await clock.advance(5)
    assert [claim.job_id for claim in await ledger.claim("worker", ["tiny"], 2)] == [fine]
    assert (await ledger.get("ann", late)).state is JobState.EXPIRED


async def test_a_running_job_outlives_its_deadline(ledger: Ledger, clock: StillClock) -> None:
    await submitted(ledger, deadline_at=START + 5)
    claim = await claimed(ledger)
    await clock.advance(6)
    await ledger.reap()
    job = await ledger.finish(claim.job_id, claim.attempt, succeeded())
    assert job.state is JobState.SUCCEEDED
