"""What a forgotten record leaves in the store is handed over with the forgetting, and kept until it is gone."""

import asyncio

import pytest
from redis.asyncio import Redis

from darkroom.contract.job import JobState, picture_keys
from darkroom.errors import InvalidField
from darkroom.ledger.protocol import Ledger, Outcome
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.server import LocalRedis
from tests.integration.ledger.clocks import STILL_LUA, StillClock
from tests.integration.ledger.conftest import RULES
from tests.integration.ledger.making import FAILED, claimed, plan, submitted, succeeded


async def forget_all(ledger: Ledger, clock: StillClock) -> None:
    await clock.advance(60)
    await ledger.reap()


async def test_nothing_is_left_over_while_a_record_lives(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger)
    await ledger.finish(job_id, (await claimed(ledger)).attempt, succeeded())
    await clock.advance(59)
    await ledger.reap()
    assert await ledger.leftovers() == []


async def test_every_picture_of_a_forgotten_record_is_left_over_once(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger, seeds=(7, 8, 9), output_format="jpeg")
    await ledger.finish(job_id, (await claimed(ledger)).attempt, succeeded(images=3))
    await forget_all(ledger, clock)
    await ledger.reap()
    ((_, keys),) = await ledger.leftovers()
    assert keys == (f"images/{job_id}/0.jpeg", f"images/{job_id}/1.jpeg", f"images/{job_id}/2.jpeg")


async def test_pictures_of_attempts_that_did_not_succeed_are_left_over(ledger: Ledger, clock: StillClock) -> None:
    """They were stored one by one, before it was known that the job would not end well."""
    failed, canceled = await submitted(ledger, "ann"), await submitted(ledger, "bob")
    first, _ = await ledger.claim("worker", ["tiny"], 2)
    await ledger.finish(failed, first.attempt, FAILED)
    await ledger.cancel("bob", canceled)
    await forget_all(ledger, clock)
    assert {keys for _, keys in await ledger.leftovers()} == {
        picture_keys(failed, plan()),
        picture_keys(canceled, plan()),
    }


async def test_what_a_lost_attempt_stored_of_a_blocked_job_is_left_over_at_once(
    ledger: Ledger, clock: StillClock
) -> None:
    blocked = Outcome(state=JobState.BLOCKED)
    at_first = await submitted(ledger)
    await ledger.finish(at_first, (await claimed(ledger)).attempt, blocked)
    assert await ledger.leftovers() == [], "a first attempt stores nothing before all of it was looked at"
    job_id = await submitted(ledger, seeds=(7, 8))
    await claimed(ledger)
    await ledger.abandon("worker", "child died")
    await ledger.reap()
    await ledger.finish(job_id, (await claimed(ledger)).attempt, blocked)
    ((_, keys),) = await ledger.leftovers()
    assert keys == (f"images/{job_id}/0.png", f"images/{job_id}/1.png")


async def test_a_job_that_nobody_began_leaves_nothing(ledger: Ledger, clock: StillClock) -> None:
    await ledger.cancel("ann", await submitted(ledger))
    await forget_all(ledger, clock)
    assert (await ledger.jobs("ann", limit=9)).jobs == ()
    assert await ledger.leftovers() == []


@pytest.mark.slow
async def test_a_record_that_does_not_name_its_pictures_does_not_end_the_sweep(
    redis_client: Redis, valkey: LocalRedis, key_prefix: str
) -> None:
    clock = await StillClock.on_server(redis_client, key_prefix)
    ledger = RedisLedger(valkey.url, prefix=key_prefix, rules=RULES, clock=STILL_LUA)
    try:
        old = await submitted(ledger)
        await ledger.finish(old, (await claimed(ledger)).attempt, succeeded())
        assert await redis_client.hdel(f"{{{key_prefix}}}:job:{old}", "pictures")
        job_id = await submitted(ledger)
        await ledger.finish(job_id, (await claimed(ledger)).attempt, succeeded())
        await forget_all(ledger, clock)
        assert [keys for _, keys in await ledger.leftovers()] == [picture_keys(job_id, plan())]
        assert (await ledger.jobs("ann", limit=9)).jobs == ()
    finally:
        await ledger.close()


async def three_left(ledger: Ledger, clock: StillClock) -> list[str]:
    """The rows of three records, in order."""
    for tenant in ("ann", "bob", "cid"):
        job_id = await submitted(ledger, tenant)
        await ledger.finish(job_id, (await claimed(ledger)).attempt, succeeded())
        await clock.advance(0.001)  # they are forgotten in the order of their ends
    await forget_all(ledger, clock)
    return [row for row, _ in await ledger.leftovers()]


async def test_leftovers_stay_until_they_are_done(ledger: Ledger, clock: StillClock) -> None:
    await three_left(ledger, clock)
    rows = await ledger.leftovers()
    assert len(rows) == 3
    assert await ledger.leftovers(after=rows[0][0], limit=1) == rows[1:2]
    await ledger.leftovers_done(rows[1][0])
    await ledger.leftovers_done(rows[1][0])
    assert await ledger.leftovers() == [rows[0], rows[2]]


async def taken(ledger: Ledger, after: str = "0", limit: int = 9) -> list[str]:
    return [row for row, _ in await ledger.take_leftovers(after, limit, 10)]


async def test_a_row_is_lent_to_one_courier_until_its_lease_is_over(ledger: Ledger, clock: StillClock) -> None:
    rows = await three_left(ledger, clock)
    assert await taken(ledger, limit=1) == rows[:1]
    assert await taken(ledger, limit=1) == rows[1:2], "what another has hides nothing behind it"
    await clock.advance(5)
    assert await taken(ledger) == rows[2:]
    assert await taken(ledger) == []
    await clock.advance(5)
    assert await taken(ledger) == rows[:2]


async def test_rows_are_taken_behind_the_last_one_and_end_when_they_are_done(ledger: Ledger, clock: StillClock) -> None:
    rows = await three_left(ledger, clock)
    assert await taken(ledger, rows[0]) == rows[1:]
    await ledger.leftovers_done(*rows[1:])
    await ledger.leftovers_done()
    await clock.advance(10)
    assert await taken(ledger) == rows[:1]


async def test_of_couriers_at_once_each_gets_its_own(ledger: Ledger, clock: StillClock) -> None:
    rows = await three_left(ledger, clock)
    shares = await asyncio.gather(*(taken(ledger, limit=1) for _ in range(5)))
    assert sorted(row for share in shares for row in share) == rows


async def test_a_row_that_is_not_ours_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InvalidField):
        await ledger.leftovers(after="x")
    with pytest.raises(InvalidField):
        await ledger.take_leftovers("x", 1, 10)
