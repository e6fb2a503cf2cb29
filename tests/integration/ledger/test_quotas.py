"""What a tenant may have, and what the whole service takes in."""

from collections import Counter

import pytest

from darkroom.errors import QueueFull, TenantLimit, TooLarge, TooLate
from darkroom.ledger.protocol import Ledger
from darkroom.settings.quotas import Quota
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import START, claimed, submission, submitted, succeeded


async def test_a_tenant_of_twice_the_weight_gets_twice_the_device_time(ledger: Ledger) -> None:
    for _ in range(4):
        await submitted(ledger, "ann", quota=Quota(weight=2))
    for _ in range(4):
        await submitted(ledger, "bob")
    served = Counter()
    for _ in range(6):
        claim = await claimed(ledger)
        served[claim.tenant] += 1
        await ledger.finish(claim.job_id, claim.attempt, succeeded(1.0))
    assert served == {"ann": 4, "bob": 2}


async def test_a_tenant_runs_no_more_at_once_than_it_may_and_others_go_on(ledger: Ledger) -> None:
    for _ in range(3):
        await submitted(ledger, "ann", quota=Quota(max_running=1))
    bobs = [await submitted(ledger, "bob") for _ in range(2)]
    claims = await ledger.claim("one", ["tiny"], 5)
    assert Counter(claim.tenant for claim in claims) == {"ann": 1, "bob": 2}
    assert {claim.job_id for claim in claims if claim.tenant == "bob"} == set(bobs)
    assert await ledger.claim("two", ["tiny"], 5) == []
    (anns,) = (claim for claim in claims if claim.tenant == "ann")
    await ledger.release(anns.job_id, anns.attempt)
    assert [claim.job_id for claim in await ledger.claim("two", ["tiny"], 5)] == [anns.job_id]


async def test_the_latest_quota_counts(ledger: Ledger) -> None:
    for _ in range(2):
        await submitted(ledger, "ann", quota=Quota(max_running=1))
    await submitted(ledger, "ann")
    assert len(await ledger.claim("one", ["tiny"], 5)) == 3


async def test_a_tenants_own_limit_of_jobs_stands_before_the_services(ledger: Ledger) -> None:
    quota = Quota(max_queued=2)
    for _ in range(2):
        await submitted(ledger, quota=quota)
    with pytest.raises(TenantLimit):
        await submitted(ledger, quota=quota)
    await submitted(ledger, "bob")


async def test_a_tenant_is_limited_by_device_seconds_and_told_when_there_may_be_room(ledger: Ledger) -> None:
    quota = Quota(max_queued_seconds=100)
    await submitted(ledger, predicted_seconds=90.0, quota=quota)
    with pytest.raises(TenantLimit) as refused:
        await submitted(ledger, predicted_seconds=30.0, quota=quota)
    assert refused.value.retry_after == 20
    await submitted(ledger, predicted_seconds=10.0, quota=quota)


async def test_more_workers_make_room_sooner(ledger: Ledger) -> None:
    for worker in ("one", "two"):
        await ledger.attend(worker, ["tiny"])
    quota = Quota(max_queued_seconds=100)
    await submitted(ledger, predicted_seconds=90.0, quota=quota)
    with pytest.raises(TenantLimit) as refused:
        await submitted(ledger, predicted_seconds=30.0, quota=quota)
    assert refused.value.retry_after == 10


async def test_one_job_alone_is_never_beyond_a_limit_of_seconds(ledger: Ledger) -> None:
    await submitted(ledger, predicted_seconds=800.0, quota=Quota(max_queued_seconds=100))


async def test_the_service_is_full_by_device_seconds_too(ledger: Ledger) -> None:
    """Of the bench's hour."""
    for number in range(4):
        await submitted(ledger, f"tenant-{number}", predicted_seconds=850.0)
    with pytest.raises(QueueFull) as refused:
        await submitted(ledger, "ann", predicted_seconds=300.0)
    assert refused.value.retry_after == 100
    await submitted(ledger, "ann", predicted_seconds=200.0)


async def test_one_request_has_a_limit_and_the_next_is_judged_by_what_was_measured(ledger: Ledger) -> None:
    with pytest.raises(TooLarge) as refused:
        await submitted(ledger, predicted_seconds=900.1)
    assert (refused.value.status, refused.value.retryable) == (422, False)
    await submitted(ledger, predicted_seconds=1.0)
    claim = await claimed(ledger)
    await ledger.finish(claim.job_id, claim.attempt, succeeded(11.0))
    with pytest.raises(TooLarge):  # the model now counts double: 1 + 0.1 * (11 - 1)
        await submitted(ledger, predicted_seconds=451.0)
    await submitted(ledger, predicted_seconds=449.0)


async def test_one_odd_measurement_counts_for_little_and_failures_for_nothing(ledger: Ledger) -> None:
    job_id = await submitted(ledger, predicted_seconds=1.0)
    claim = await claimed(ledger)
    await ledger.finish(claim.job_id, claim.attempt, succeeded(1e9))
    job_id = await submitted(ledger, predicted_seconds=1.0)
    assert (await ledger.foresee([job_id]))[job_id].own_seconds == pytest.approx(5.9)
    claim = await claimed(ledger)
    await ledger.cancel("ann", claim.job_id)
    job_id = await submitted(ledger, predicted_seconds=1.0, model="other")
    assert (await ledger.foresee([job_id]))[job_id].own_seconds == 1.0, "each model has its own pace"


async def test_a_job_that_would_not_begin_before_its_deadline_is_refused(ledger: Ledger) -> None:
    await ledger.attend("one", ["tiny"])
    await submitted(ledger, predicted_seconds=30.0)
    with pytest.raises(TooLate) as refused:
        await submitted(ledger, deadline_at=START + 25)
    assert (refused.value.status, refused.value.code) == (503, "deadline_too_soon")
    assert refused.value.retry_after == 5
    await submitted(ledger, deadline_at=START + 31)
    await submitted(ledger, "bob", deadline_at=START + 25)


async def test_nobody_is_refused_by_a_wait_that_nobody_knows(ledger: Ledger, clock: StillClock) -> None:
    await ledger.attend("one", ["tiny"])
    await submitted(ledger, predicted_seconds=30.0)
    await clock.advance(15)
    await submitted(ledger, deadline_at=START + 20)


async def test_a_refused_job_takes_no_place_and_leaves_no_quota(ledger: Ledger) -> None:
    await submitted(ledger)
    with pytest.raises(TooLarge):
        await ledger.submit(submission(predicted_seconds=1000.0, quota=Quota(max_running=1)))
    await submitted(ledger)
    assert len(await ledger.claim("one", ["tiny"], 5)) == 2
