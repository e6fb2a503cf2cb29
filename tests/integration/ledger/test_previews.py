"""Preview frames: the latest of each image, for as long as its job runs."""

from collections.abc import Awaitable, Callable

import pytest

from darkroom.contract.generation import MOST_IMAGES
from darkroom.contract.job import Progress
from darkroom.errors import NotFound
from darkroom.ledger.previews import MOST_PREVIEW_BYTES
from darkroom.ledger.protocol import Claim, Ledger
from darkroom.ledger.redis import RedisLedger
from tests.integration.ledger.clocks import StillClock
from tests.integration.ledger.making import FAILED, claimed, submitted, succeeded

# No UTF-8, and with line ends and NUL: a JPEG has all of them.
FRAME = b"\xff\xd8\xff\xe0\x00\r\n\x00\xfe" + bytes(range(256))


async def shown(ledger: Ledger, seeds: tuple[int, ...] = (7, 8)) -> Claim:
    """A running job of two images, with a frame of the first."""
    await submitted(ledger, seeds=seeds, previews=True)
    claim = await claimed(ledger)
    await ledger.show_preview(claim.job_id, claim.attempt, 0, FRAME)
    return claim


async def has_none(ledger: Ledger, job_id: str, index: int = 0, tenant: str = "ann") -> bool:
    try:
        await ledger.preview(tenant, job_id, index)
    except NotFound:
        return True
    return False


async def test_the_latest_frame_of_an_image_is_seen(ledger: Ledger) -> None:
    claim = await shown(ledger)
    assert await ledger.preview("ann", claim.job_id, 0) == FRAME
    await ledger.show_preview(claim.job_id, claim.attempt, 0, b"\xff\xd8 the second")
    assert await ledger.preview("ann", claim.job_id, 0) == b"\xff\xd8 the second"


async def test_each_image_has_frames_of_its_own(ledger: Ledger) -> None:
    claim = await shown(ledger)
    assert await has_none(ledger, claim.job_id, 1)
    await ledger.show_preview(claim.job_id, claim.attempt, 1, b"\xff\xd8 the other")
    assert await ledger.preview("ann", claim.job_id, 0) == FRAME
    assert await ledger.preview("ann", claim.job_id, 1) == b"\xff\xd8 the other"


async def test_nobody_else_sees_it(ledger: Ledger) -> None:
    claim = await shown(ledger)
    assert await has_none(ledger, claim.job_id, tenant="bob")
    assert await has_none(ledger, "nobody")


async def test_a_job_that_waits_has_none(ledger: Ledger) -> None:
    assert await has_none(ledger, await submitted(ledger))


async def finish(ledger: Ledger, claim: Claim) -> None:
    await ledger.finish(claim.job_id, claim.attempt, succeeded())


async def fail(ledger: Ledger, claim: Claim) -> None:
    await ledger.finish(claim.job_id, claim.attempt, FAILED)


async def cancel(ledger: Ledger, claim: Claim) -> None:
    await ledger.cancel("ann", claim.job_id)


async def release(ledger: Ledger, claim: Claim) -> None:
    await ledger.release(claim.job_id, claim.attempt)


@pytest.mark.parametrize("ending", [finish, fail, cancel, release])
async def test_frames_go_when_the_job_leaves_its_worker(
    ledger: Ledger, ending: Callable[[Ledger, Claim], Awaitable[None]]
) -> None:
    claim = await shown(ledger)
    await ending(ledger, claim)
    assert await has_none(ledger, claim.job_id)
    await ledger.show_preview(claim.job_id, claim.attempt, 0, FRAME)
    assert await has_none(ledger, claim.job_id), "a frame that comes late brings nothing back"


async def test_a_zombie_shows_nothing_in_the_place_of_its_heir(ledger: Ledger, clock: StillClock) -> None:
    zombie = await shown(ledger)
    await clock.advance(15)
    await ledger.reap()
    assert await has_none(ledger, zombie.job_id)
    heir = await claimed(ledger)
    await ledger.show_preview(zombie.job_id, zombie.attempt, 0, b"\xff\xd8 of the dead")
    assert await has_none(ledger, heir.job_id)
    await ledger.show_preview(heir.job_id, heir.attempt, 0, FRAME)
    await ledger.show_preview(zombie.job_id, zombie.attempt, 0, b"\xff\xd8 of the dead")
    assert await ledger.preview("ann", heir.job_id, 0) == FRAME


async def test_frames_are_small_and_of_images_that_can_be(ledger: Ledger) -> None:
    claim = await shown(ledger)
    largest = bytes(MOST_PREVIEW_BYTES)
    await ledger.show_preview(claim.job_id, claim.attempt, MOST_IMAGES - 1, largest)
    assert await ledger.preview("ann", claim.job_id, MOST_IMAGES - 1) == largest
    with pytest.raises(ValueError, match="bytes"):
        await ledger.show_preview(claim.job_id, claim.attempt, 0, bytes(MOST_PREVIEW_BYTES + 1))
    for index in (-1, MOST_IMAGES):
        with pytest.raises(ValueError, match="no job"):
            await ledger.show_preview(claim.job_id, claim.attempt, index, FRAME)
    assert await ledger.preview("ann", claim.job_id, 0) == FRAME


async def test_frames_of_a_job_that_nothing_ends_go_by_themselves(ledger: Ledger, clock: StillClock) -> None:
    claim = await shown(ledger)
    if isinstance(ledger, RedisLedger):  # Redis counts by a clock of its own, which a test cannot move
        assert 290_000 < await ledger._client.pttl(ledger._key("previews", claim.job_id)) <= 300_000
        return
    await clock.advance(299)
    assert not await has_none(ledger, claim.job_id)
    await clock.advance(1)
    assert await has_none(ledger, claim.job_id)
    await ledger.show_preview(claim.job_id, claim.attempt, 1, FRAME)
    assert await has_none(ledger, claim.job_id), "an old frame does not come back with a new one"


async def test_progress_tells_how_many_were_shown_and_else_is_as_it_was(ledger: Ledger) -> None:
    claim = await shown(ledger)
    await ledger.report((claim.job_id, claim.attempt, Progress(step=1, steps=20)))
    await ledger.report((claim.job_id, claim.attempt, Progress(step=2, steps=20, previews=1)))
    assert (await ledger.get("ann", claim.job_id)).progress == Progress(step=2, steps=20, previews=1)
    told = [event.data for event in await ledger.events(claim.job_id) if event.name == "progress"]
    assert told == [{"step": 1, "steps": 20}, {"step": 2, "steps": 20, "previews": 1}]
