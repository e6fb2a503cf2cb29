"""What a waiting job is told of its wait."""

import pytest

from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import Ledger, Outlook
from darkroom.ledger.rules import Rules
from darkroom.settings.quotas import Quota
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import claimed, submission, submitted, succeeded


async def outlook(ledger: Ledger, job_id: str) -> Outlook:
    return (await ledger.foresee([job_id]))[job_id]


async def test_the_first_job_begins_at_once_where_somebody_serves(ledger: Ledger) -> None:
    await ledger.attend("one", ["tiny"])
    told = (await ledger.submit(submission(predicted_seconds=2.5))).outlook
    assert told == Outlook(position=0, ahead_seconds=0, own_seconds=2.5, workers=1, wait_seconds=0)


async def test_where_nobody_serves_nobody_knows(ledger: Ledger) -> None:
    told = (await ledger.submit(submission())).outlook
    assert told is not None
    assert (told.workers, told.wait_seconds) == (0, None)


async def test_those_before_a_job_and_half_of_what_runs_are_shared_by_the_workers(ledger: Ledger) -> None:
    for worker in ("one", "two"):
        await ledger.attend(worker, ["tiny"])
    ids = [await submitted(ledger, predicted_seconds=4.0) for _ in range(4)]
    await claimed(ledger)
    told = await outlook(ledger, ids[3])
    assert (told.position, told.ahead_seconds, told.wait_seconds) == (2, 8.0, 5.0)
    assert (await outlook(ledger, ids[1])).wait_seconds == 0


async def test_a_job_that_has_stood_in_front_for_long_waits_for_what_runs(ledger: Ledger, clock: StillClock) -> None:
    await ledger.attend("one", ["tiny"])
    ids = [await submitted(ledger, predicted_seconds=4.0) for _ in range(2)]
    await claimed(ledger)
    assert (await outlook(ledger, ids[1])).wait_seconds == 0
    await clock.advance(3)
    assert (await outlook(ledger, ids[1])).wait_seconds == 2.0


async def test_others_count_as_far_as_they_take_turns(ledger: Ledger) -> None:
    for _ in range(5):
        await submitted(ledger, "flood", predicted_seconds=10.0)
    single = await submitted(ledger, "ann", predicted_seconds=10.0)
    assert (await outlook(ledger, single)).ahead_seconds == 0, "it takes its turn at once"
    second = await submitted(ledger, "ann", predicted_seconds=10.0)
    assert (await outlook(ledger, second)).ahead_seconds == 20.0, "one of its own, and one of theirs"


async def test_who_used_much_lets_others_go_first(ledger: Ledger) -> None:
    await submitted(ledger, "ann", predicted_seconds=30.0)
    claim = await claimed(ledger)
    await ledger.finish(claim.job_id, claim.attempt, succeeded(30.0))
    anns = await submitted(ledger, "ann", predicted_seconds=1.0)
    assert (await outlook(ledger, anns)).ahead_seconds == 0
    await submitted(ledger, "bob", predicted_seconds=1.0, quota=Quota(weight=2))
    await submitted(ledger, "bob", predicted_seconds=5.0, quota=Quota(weight=2))
    assert (await outlook(ledger, anns)).ahead_seconds == 0, "bob was raised to her level"


async def test_bulk_waits_for_interactive_but_for_its_turns(ledger: Ledger) -> None:
    bulk = await submitted(ledger, "ann", priority="bulk", predicted_seconds=1.0)
    assert (await outlook(ledger, bulk)).ahead_seconds == 0
    for _ in range(5):
        await submitted(ledger, "bob", predicted_seconds=3.0)
    assert (await outlook(ledger, bulk)).ahead_seconds == 4.0, "four turns of jobs like it"


async def test_the_event_of_a_queued_job_says_where_it_stood(ledger: Ledger) -> None:
    await submitted(ledger, predicted_seconds=1.5)
    job_id = await submitted(ledger)
    (queued,) = await ledger.events(job_id)
    assert queued.data == {"position": 1, "ahead_seconds": 1.5}


async def test_only_what_waits_has_an_outlook(ledger: Ledger) -> None:
    job_id = await submitted(ledger)
    waits = await submitted(ledger)
    await claimed(ledger)
    assert list(await ledger.foresee([job_id, "nobody", waits])) == [waits]
    assert await ledger.foresee([]) == {}


@pytest.mark.parametrize("end", ["cancel", "claim"])
async def test_what_has_left_the_line_is_ahead_of_nobody(ledger: Ledger, end: str) -> None:
    first, second = await submitted(ledger), await submitted(ledger)
    if end == "cancel":
        await ledger.cancel("ann", first)
    else:
        await claimed(ledger)
    assert (await outlook(ledger, second)).ahead_seconds == 0


async def test_of_many_tenants_some_stand_for_all() -> None:
    ledger = MemoryLedger(Rules(outlook_tenants=4))
    for number in range(12):
        for _ in range(2):
            await submitted(ledger, f"tenant-{number}", predicted_seconds=1.0)
    last = [await submitted(ledger, "ann", predicted_seconds=1.0) for _ in range(2)][1]
    assert (await outlook(ledger, last)).ahead_seconds == 1.0 + 13, "one of its own, and one of each at the desk"
