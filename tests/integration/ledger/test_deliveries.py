"""What webhooks are told: written with the event, lent under a lease, noted, listed, replayed, forgotten."""

import asyncio

import pytest
from redis.asyncio import Redis

from darkroom.contract.job import Progress
from darkroom.contract.webhook import Attempt, DeliveryState, LentDelivery, Verdict
from darkroom.errors import InvalidField, NotFound
from darkroom.ledger.deliveries import Room, Wanted
from darkroom.ledger.protocol import Ledger
from darkroom.ledger.redis import RedisLedger
from darkroom.ledger.rules import Rules
from darkroom.ledger.server import LocalRedis
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import START, announced, claimed, submitted, succeeded, webhook

ROOM = Room(free=10, per_lane=10, per_tenant=10)
DELIVERED = Verdict(state=DeliveryState.DELIVERED)
AGAIN = Verdict(state=DeliveryState.PENDING, delay=5)
DEAD = Verdict(state=DeliveryState.DEAD, reason="attempts_exhausted")
GONE = Verdict(state=DeliveryState.DEAD, reason="endpoint_gone", disable=True)
ALL = ("generation.running", "generation.progress", "generation.succeeded")


def attempt(number: int = 1, status: int = 500) -> Attempt:
    return Attempt(number=number, at=1.5, status=status, fault=None, milliseconds=3)


async def take(ledger: Ledger, room: Room = ROOM) -> list[LentDelivery]:
    return await ledger.deliveries.take(room, 30, {})


async def ended(ledger: Ledger, tenant: str = "ann", host: str = "hooks.test") -> str:
    """The id of the delivery of a job that was canceled."""
    job_id = await submitted(ledger, tenant, webhook=webhook(host))
    await ledger.cancel(tenant, job_id)
    return f"msg_{job_id}_1"


async def test_every_end_is_announced_in_the_step_that_ends_the_job(ledger: Ledger, clock: StillClock) -> None:
    canceled = await submitted(ledger, webhook=webhook())
    await submitted(ledger, webhook=webhook(), deadline_at=START + 1)
    finished = await submitted(ledger, webhook=webhook())
    await ledger.cancel("ann", canceled)
    await clock.advance(1)
    await ledger.reap()
    await clock.advance(1)
    claim = await claimed(ledger)
    await ledger.finish(finished, claim.attempt, succeeded())
    assert await announced(ledger) == ["generation.succeeded", "generation.expired", "generation.canceled"]
    first, *_ = await take(ledger)
    assert first == LentDelivery(
        id=f"msg_{canceled}_1",
        tenant="ann",
        job_id=canceled,
        event="generation.canceled",
        url=webhook().url,
        base="https://here.test",
        lane="hooks.test ann",
        created_at=START,
        number=1,
        turn=0,
        body=None,
    )


async def test_nobody_is_told_what_he_did_not_ask_for(ledger: Ledger) -> None:
    await ledger.cancel("ann", await submitted(ledger))
    await ledger.cancel("ann", await submitted(ledger, webhook=webhook(events=["generation.failed"])))
    assert await announced(ledger) == []


async def test_of_progress_only_one_message_is_under_way(ledger: Ledger) -> None:
    job_id = await submitted(ledger, webhook=webhook(events=ALL))
    claim = await claimed(ledger)
    for step in (1, 2, 3):
        await ledger.report((job_id, claim.attempt, Progress(step=step, steps=9)))
    assert sorted(await announced(ledger)) == ["generation.progress", "generation.running"]
    for lent in await take(ledger):
        await ledger.deliveries.note(lent.id, attempt(), DELIVERED)
    assert await announced(ledger) == ["generation.running"]  # progress that was told is forgotten
    await ledger.report((job_id, claim.attempt, Progress(step=4, steps=9)))
    assert [lent.event for lent in await take(ledger)] == ["generation.progress"]


async def test_what_is_lent_is_nobody_elses_until_its_lease_is_over(ledger: Ledger, clock: StillClock) -> None:
    delivery = await ended(ledger)
    assert [lent.id for lent in await take(ledger)] == [delivery]
    await clock.advance(29)
    assert await take(ledger) == []
    await clock.advance(1)
    assert [(lent.id, lent.number) for lent in await take(ledger)] == [(delivery, 1)]


async def test_a_failure_comes_back_when_it_is_due_with_the_same_body(ledger: Ledger, clock: StillClock) -> None:
    delivery = await ended(ledger)
    await take(ledger)
    assert await ledger.deliveries.seal(delivery, "first") == "first"
    assert await ledger.deliveries.seal(delivery, "second") == "first"
    assert await ledger.deliveries.note(delivery, attempt(), AGAIN)
    assert await take(ledger) == []
    await clock.advance(5)
    assert [(lent.number, lent.turn, lent.body) for lent in await take(ledger)] == [(2, 1, "first")]


async def test_a_late_failure_changes_nothing_and_a_late_success_counts(ledger: Ledger, clock: StillClock) -> None:
    delivery = await ended(ledger)
    await take(ledger)
    await clock.advance(30)
    await take(ledger)
    assert await ledger.deliveries.note(delivery, attempt(), AGAIN)
    assert not await ledger.deliveries.note(delivery, attempt(), DEAD)
    assert await ledger.deliveries.note(delivery, attempt(status=200), DELIVERED)
    assert not await ledger.deliveries.note(delivery, attempt(2), AGAIN)
    shown, attempts = await ledger.deliveries.get("ann", delivery)
    assert (shown.state, shown.attempts, shown.due_at) == (DeliveryState.DELIVERED, 1, None)
    assert [each.status for each in attempts] == [500, 200]


async def test_of_many_attempts_the_latest_are_kept(ledger: Ledger) -> None:
    delivery = await ended(ledger)
    for number in range(1, 7):
        assert await ledger.deliveries.note(delivery, attempt(number), AGAIN)
    shown, attempts = await ledger.deliveries.get("ann", delivery)
    assert (shown.attempts, [each.number for each in attempts]) == (6, [2, 3, 4, 5, 6])


async def test_a_slow_host_and_a_busy_tenant_leave_room_for_others(ledger: Ledger, clock: StillClock) -> None:
    slow = [await ended(ledger, host="slow.test") for _ in range(4)]
    await clock.advance(1)
    quick = await ended(ledger, host="quick.test")
    other = await ended(ledger, "bob")
    room = Room(free=10, per_lane=2, per_tenant=3)
    assert [lent.id for lent in await take(ledger, room)] == [*slow[:2], other, quick]
    assert await ledger.deliveries.take(room, 30, {"slow.test ann": 2}) == []
    assert [one.id for one in await ledger.deliveries.take(room, 30, {"slow.test ann": 1})] == slow[2:3]
    assert await ledger.deliveries.take(room, 30, {"a.test ann": 2, "b.test ann": 1}) == []
    assert [one.id for one in await take(ledger, Room(free=1, per_lane=2, per_tenant=3))] == slow[3:]


async def test_an_endpoint_that_is_gone_is_left_alone_until_it_is_enabled(ledger: Ledger, clock: StillClock) -> None:
    first, second, elsewhere = await ended(ledger), await ended(ledger), await ended(ledger, "bob")
    await ledger.deliveries.note(first, attempt(status=410), GONE)
    assert await ledger.deliveries.disabled("ann") == {webhook().url: START}
    assert [lent.id for lent in await take(ledger)] == [elsewhere]  # another tenant's endpoint is another one
    shown, attempts = await ledger.deliveries.get("ann", second)
    assert (shown.state, shown.reason, attempts) == (DeliveryState.DEAD, "endpoint_disabled", ())
    assert await ledger.deliveries.enable("ann", webhook().url)
    assert not await ledger.deliveries.enable("ann", webhook().url)
    assert await ledger.deliveries.replay("ann", [first, second]) == 2
    assert sorted(lent.id for lent in await take(ledger)) == sorted([first, second])


async def test_no_tenant_fills_the_server_with_endpoints_that_are_gone(ledger: Ledger) -> None:
    gone = [await ended(ledger, host=f"{index}.test") for index in range(3)]
    for lent in await take(ledger):
        assert await ledger.deliveries.note(lent.id, attempt(status=410), GONE)
    assert len(await ledger.deliveries.disabled("ann")) == 2
    for delivery in gone:
        assert (await ledger.deliveries.get("ann", delivery))[0].reason == "endpoint_gone"


async def test_a_replay_has_a_schedule_of_its_own(ledger: Ledger) -> None:
    delivery = await ended(ledger)
    await take(ledger)
    await ledger.deliveries.note(delivery, attempt(), DEAD)
    assert await ledger.deliveries.replay("bob", [delivery]) == 0
    assert await ledger.deliveries.replay("ann", [delivery, "msg_unknown"]) == 1
    shown, _ = await ledger.deliveries.get("ann", delivery)
    assert (shown.state, shown.reason, shown.ended_at, shown.due_at) == (DeliveryState.PENDING, None, None, START)
    assert [(lent.number, lent.turn) for lent in await take(ledger)] == [(2, 0)]


async def test_deliveries_are_listed_newest_first_and_filtered(ledger: Ledger, clock: StillClock) -> None:
    ids = []
    for _ in range(5):
        ids.append(await ended(ledger))
        await clock.advance(1)
    await ended(ledger, "bob")
    await ledger.deliveries.note(ids[1], attempt(status=200), DELIVERED)

    async def listed(**wanted: object) -> list[str]:
        page = await ledger.deliveries.list("ann", Wanted(**wanted), limit=10)
        return [delivery.id for delivery in page.deliveries]

    assert await listed() == ids[::-1]
    assert await listed(states=(DeliveryState.DELIVERED, DeliveryState.DEAD)) == [ids[1]]
    assert await listed(after=START + 1, before=START + 3) == [ids[2], ids[1]]
    assert await listed(job_id=ids[3][4:30]) == [ids[3]]


async def test_pages_of_deliveries_follow_each_other_without_gap(ledger: Ledger, clock: StillClock) -> None:
    ids = sorted([await ended(ledger) for _ in range(5)], reverse=True)  # all in one millisecond
    seen, cursor = [], None
    while True:
        page = await ledger.deliveries.list("ann", Wanted(before=START + 1), limit=2, cursor=cursor)
        seen += [delivery.id for delivery in page.deliveries]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ids
    with pytest.raises(InvalidField):
        await ledger.deliveries.list("ann", Wanted(), limit=2, cursor="1.msg_x")


async def test_another_tenants_delivery_is_unknown(ledger: Ledger) -> None:
    delivery = await ended(ledger)
    for tenant, wanted in (("bob", delivery), ("ann", "msg_unknown")):
        with pytest.raises(NotFound):
            await ledger.deliveries.get(tenant, wanted)


async def test_a_delivery_outlives_its_end_as_long_as_a_record_does(ledger: Ledger, clock: StillClock) -> None:
    delivery, pending = await ended(ledger), await ended(ledger)
    await clock.advance(30)
    await ledger.deliveries.note(delivery, attempt(status=200), DELIVERED)
    await clock.advance(59.999)
    await ledger.reap()
    assert len(await announced(ledger)) == 2
    await clock.advance(0.001)
    await ledger.reap()
    page = await ledger.deliveries.list("ann", Wanted(), limit=10)
    assert [one.id for one in page.deliveries] == [pending]
    assert await ledger.deliveries.seal(delivery, "body") is None
    assert not await ledger.deliveries.drop(delivery)
    assert await ledger.deliveries.drop(pending)
    assert not await ledger.deliveries.drop(pending)
    assert (await ledger.deliveries.get("ann", pending))[0].reason == "record_gone"


@pytest.mark.slow
async def test_a_row_that_this_version_cannot_read_keeps_no_other_back(valkey: LocalRedis, key_prefix: str) -> None:
    ledger, client = RedisLedger(valkey.url, prefix=key_prefix), Redis.from_url(valkey.url)
    try:
        odd, damaged, good = [await ended(ledger) for _ in range(3)]
        await client.hset(f"{{{key_prefix}}}:delivery:{odd}", "event", "generation.dreamt")
        await client.hdel(f"{{{key_prefix}}}:delivery:{damaged}", "base")
        assert [lent.id for lent in await take(ledger)] == [good]
    finally:
        await client.aclose()
        await ledger.close()


async def test_what_a_message_says_is_forgotten_with_its_record(ledger: Ledger, clock: StillClock) -> None:
    told, silent = await ended(ledger), await ended(ledger)
    await take(ledger)
    assert await ledger.deliveries.seal(told, "prompt") == "prompt"
    await clock.advance(59.999)
    assert {lent.id: lent.body for lent in await take(ledger)} == {told: "prompt", silent: None}
    await clock.advance(30)
    await ledger.reap()
    assert {lent.id: lent.body for lent in await take(ledger)} == {told: None, silent: None}
    assert await ledger.deliveries.seal(silent, "prompt") is None
    assert await ledger.deliveries.drop(told)
    assert await ledger.deliveries.replay("ann", [told]) == 1  # the row is still there, and has nothing to say
    assert await ledger.deliveries.seal(told, "prompt") is None


@pytest.mark.slow
async def test_nothing_of_a_message_stays_behind_its_record(valkey: LocalRedis, key_prefix: str) -> None:
    ledger = RedisLedger(valkey.url, prefix=key_prefix, rules=Rules(result_ttl_ms=1))
    client = Redis.from_url(valkey.url, decode_responses=True)
    try:
        delivery = await ended(ledger)
        await ledger.deliveries.seal(delivery, "a red circle")
        await asyncio.sleep(0.01)
        await ledger.reap()
        await ledger.deliveries.seal(delivery, "a red circle")
        left = [key async for key in client.scan_iter(f"{{{key_prefix}}}:*") if delivery[4:30] in key]
        assert left == [f"{{{key_prefix}}}:delivery:{delivery}"]
        assert "a red circle" not in str(await client.hgetall(left[0]))
    finally:
        await client.aclose()
        await ledger.close()


async def test_the_backlog_counts_what_is_pending_and_how_long_it_is_due(ledger: Ledger, clock: StillClock) -> None:
    assert (await ledger.deliveries.backlog()).pending == 0
    await ended(ledger)
    await clock.advance(7)
    late = await ended(ledger, "bob")
    backlog = await ledger.deliveries.backlog()
    assert (backlog.pending, backlog.overdue) == (2, 7)
    await take(ledger)
    await ledger.deliveries.note(late, attempt(status=200), DELIVERED)
    backlog = await ledger.deliveries.backlog()
    assert (backlog.pending, backlog.overdue) == (1, 0)
