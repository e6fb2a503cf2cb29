"""Jobs that may have killed their worker: tried again alone, ever later, and given up with the cause."""

from darkroom.contract.job import JobState, LostAttempt
from darkroom.ledger.protocol import Claim, Ledger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import DIED, START, claimed, position, submitted, succeeded


async def lent(ledger: Ledger, worker: str, room: int = 4) -> list[str]:
    return [claim.job_id for claim in await ledger.claim(worker, ["tiny"], room)]


async def killed(ledger: Ledger, worker: str = "dead") -> None:
    """The worker's process died, and somebody swept."""
    await ledger.abandon(worker, DIED)
    await ledger.reap()


async def test_a_dead_workers_jobs_come_back_at_the_next_sweep(ledger: Ledger) -> None:
    ids = [await submitted(ledger) for _ in range(3)]
    await lent(ledger, "dead", 2)
    await lent(ledger, "alive", 1)
    assert await ledger.abandon("dead", DIED) == tuple(sorted(ids[:2]))
    assert set((await ledger.reap()).requeued) == set(ids[:2])
    assert [(await ledger.get("ann", job_id)).attempt for job_id in ids] == [1, 1, 1]


async def test_what_died_with_its_worker_is_tried_again_at_once_and_each_alone(ledger: Ledger) -> None:
    ids = [await submitted(ledger) for _ in range(4)]
    await lent(ledger, "dead", 2)
    await killed(ledger)
    assert await lent(ledger, "next") == ids[:1]
    assert await lent(ledger, "next") == [], "while it runs, nothing is lent beside it"
    assert await lent(ledger, "third") == ids[1:2]
    assert await lent(ledger, "fourth") == ids[2:]


async def test_a_neighbour_of_a_poisonous_job_is_finished_by_its_second_worker(ledger: Ledger) -> None:
    await submitted(ledger)
    innocent = await submitted(ledger)
    await lent(ledger, "dead")
    await killed(ledger)
    await lent(ledger, "dead again")
    await killed(ledger, "dead again")
    (claim,) = await ledger.claim("third", ["tiny"], 4)
    job = await ledger.finish(innocent, claim.attempt, succeeded())
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)


async def test_a_worker_empties_its_hand_for_a_lone_job_and_others_go_on(ledger: Ledger) -> None:
    poison = await submitted(ledger)
    await lent(ledger, "dead")
    others = [await submitted(ledger) for _ in range(3)]
    (held,) = await ledger.claim("one", ["tiny"], 1)
    await ledger.claim("two", ["tiny"], 1)
    await killed(ledger)
    assert await lent(ledger, "one") == [], "the lone job is next"
    assert await lent(ledger, "two") == others[2:], "one worker makes room, not all"
    assert await lent(ledger, "one") == []
    await ledger.finish(held.job_id, held.attempt, succeeded())
    assert await lent(ledger, "one") == [poison]


async def test_a_worker_that_has_made_room_for_a_lease_goes_on(ledger: Ledger, clock: StillClock) -> None:
    poison = await submitted(ledger)
    await lent(ledger, "dead")
    await submitted(ledger)
    (held,) = await ledger.claim("one", ["tiny"], 1)
    await killed(ledger)
    assert await lent(ledger, "one") == []
    other = await submitted(ledger)
    await ledger.cancel("ann", poison)
    assert await lent(ledger, "one") == [], "it does not know yet"
    await clock.advance(14)
    await ledger.renew("one", {held.job_id: held.attempt})
    await clock.advance(1)
    assert await lent(ledger, "one") == [other]


async def test_an_idle_worker_takes_a_lone_job_before_the_one_that_makes_room(ledger: Ledger) -> None:
    poison = await submitted(ledger)
    await lent(ledger, "dead")
    await submitted(ledger)
    await lent(ledger, "busy", 1)
    await killed(ledger)
    other = await submitted(ledger)
    assert await lent(ledger, "busy") == []
    assert await lent(ledger, "idle") == [poison]
    assert await lent(ledger, "busy") == [other]


async def test_a_worker_that_dies_while_it_makes_room_leaves_that_to_the_next(ledger: Ledger) -> None:
    poison = await submitted(ledger)
    await lent(ledger, "dead")
    others = [await submitted(ledger) for _ in range(3)]
    await lent(ledger, "one", 1)
    (held,) = await ledger.claim("two", ["tiny"], 1)
    await killed(ledger)
    assert await lent(ledger, "one") == [], "it makes room"
    await ledger.abandon("one", DIED)
    assert await lent(ledger, "two") == [], "so does the next, without waiting for a lease"
    await ledger.finish(held.job_id, held.attempt, succeeded())
    assert await lent(ledger, "two") == [poison]
    assert await lent(ledger, "three") == others[2:]


async def test_lone_jobs_are_no_fairer_than_others(ledger: Ledger) -> None:
    """Ann's flood of poison is her own: Bob takes turns with it."""
    for _ in range(3):
        await submitted(ledger, "ann")
    await lent(ledger, "dead", 3)
    bobs = await submitted(ledger, "bob")
    await killed(ledger)
    served = [(await ledger.claim(f"w{number}", ["tiny"], 1))[0] for number in range(2)]
    assert bobs in [claim.job_id for claim in served]


async def test_a_lost_lease_is_forgiven_once(ledger: Ledger, clock: StillClock) -> None:
    ids = [await submitted(ledger) for _ in range(2)]
    await lent(ledger, "silent")
    await clock.advance(15)
    await ledger.reap()
    assert await lent(ledger, "second") == ids, "together: one silence proves nothing"
    await clock.advance(15)
    await ledger.reap()
    await clock.advance(5)
    assert await lent(ledger, "third") == ids[:1]


async def test_each_attempt_after_the_second_waits_longer(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger)
    for worker in ("first", "second"):
        assert await lent(ledger, worker) == [job_id]
        await killed(ledger, worker)
    assert await lent(ledger, "third") == []
    assert (await position(ledger, job_id), await ledger.waiting()) == (None, {"tiny": 1})
    await clock.advance(4.9)
    assert await lent(ledger, "third") == []
    await clock.advance(0.1)
    await ledger.reap()
    assert await position(ledger, job_id) == 0
    assert await lent(ledger, "third") == [job_id]


async def test_a_delayed_job_can_be_canceled_and_expires(ledger: Ledger, clock: StillClock) -> None:
    canceled = await submitted(ledger)
    late = await submitted(ledger, deadline_at=START + 3)
    for worker in ("a", "b", "c", "d"):
        await lent(ledger, worker, 1)
        await killed(ledger, worker)
    assert (await ledger.cancel("ann", canceled)).state is JobState.CANCELED
    await clock.advance(3)
    assert (await ledger.reap()).ended == (late,)
    await clock.advance(60)
    assert await lent(ledger, "e") == []
    assert await ledger.waiting() == {}


async def exhausted(ledger: Ledger, clock: StillClock) -> Claim:
    """A job is given up; the last claim of it."""
    for attempt in range(3):
        claim = await claimed(ledger)
        if attempt == 1:
            await clock.advance(15)
            await ledger.reap()
        else:
            await killed(ledger, "worker")
        await clock.advance(5)
    return claim


async def test_three_lost_attempts_end_a_job_with_their_causes(ledger: Ledger, clock: StillClock) -> None:
    job_id = await submitted(ledger)
    await exhausted(ledger, clock)
    job = await ledger.get("ann", job_id)
    assert job.failure is not None
    assert (job.state, job.failure.code, job.attempt) == (JobState.FAILED, "attempts_exhausted", 3)
    assert job.failure.message.endswith(DIED)
    assert job.lost_attempts == (
        LostAttempt(attempt=1, worker="worker", ended=DIED, killed=True, at=START),
        LostAttempt(attempt=2, worker="worker", ended="lease lost", killed=False, at=START + 20),
        LostAttempt(attempt=3, worker="worker", ended=DIED, killed=True, at=START + 25),
    )
    assert (await ledger.events(job_id))[-1].data == job.failure.model_dump()


async def test_dead_letters_are_listed_by_themselves_until_they_are_forgotten(
    ledger: Ledger, clock: StillClock
) -> None:
    dead = await submitted(ledger)
    await exhausted(ledger, clock)
    await submitted(ledger)
    assert [job.id for job in (await ledger.jobs("ann", limit=5, dead=True)).jobs] == [dead]
    assert (await ledger.jobs("bob", limit=5, dead=True)).jobs == ()
    assert len((await ledger.jobs("ann", limit=5)).jobs) == 2
    await clock.advance(61)
    await ledger.reap()
    assert (await ledger.jobs("ann", limit=5, dead=True)).jobs == ()


async def test_a_worker_buried_alive_that_hands_back_is_blamed_for_nothing(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    (claim,) = await ledger.claim("slow", ["tiny"], 1)
    await ledger.abandon("slow", DIED)
    await ledger.release(job_id, claim.attempt)
    await ledger.reap()
    job = await ledger.get("ann", job_id)
    assert (job.state, job.attempt, job.lost_attempts) == (JobState.QUEUED, 0, ())
