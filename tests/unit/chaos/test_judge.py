"""The judge of `make chaos` finds what it is there to find: each fault planted once, in a history otherwise good."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.contract.job import Artifact, Failure, JobEvent, JobState
from darkroom.errors import NotFound, NotStored
from tests.chaos.__main__ import slow
from tests.chaos.callers import Accepted
from tests.chaos.inbox import Inbox
from tests.chaos.judge import Judge, percentile, restarts
from tests.chaos.witness import Story
from tests.receiver import Message

PICTURE = b"a picture"


def event(name: str, at: float, **data: Any) -> JobEvent:
    return JobEvent(id=f"{int(at * 1000)}-0", job_id="j", name=name, at=at, data=data)  # type: ignore[arg-type]


def artifact(index: int = 0) -> Artifact:
    return Artifact(
        index=index,
        key=f"images/j/{index}.png",
        media_type="image/png",
        bytes=len(PICTURE),
        sha256=hashlib.sha256(PICTURE).hexdigest(),
        width=8,
        height=8,
        seed=1,
        watermark_id="0123456789ab",
        manifest_id="urn:c2pa:test",
    )


@dataclass
class Scene:
    """A job that succeeded at its second attempt, and all that the judge asks. Tests spoil one thing."""

    job: Any = field(
        default_factory=lambda: SimpleNamespace(
            id="j", state=JobState.SUCCEEDED, failure=None, artifacts=(artifact(),), plan=SimpleNamespace(seeds=(1,))
        )
    )
    events: list[JobEvent] = field(
        default_factory=lambda: [
            event("queued", 1),
            event("running", 2, attempt=1),
            event("requeued", 4, reason="lease_lost"),
            event("running", 5, attempt=2),
            event("succeeded", 6),
        ]
    )
    record: bool = True
    stored: bytes | None = PICTURE
    state: str = "intact"
    canceled: bool = False
    listed: tuple[str, ...] = ("j",)

    async def story(self, tenant: str, job_id: str) -> Story:
        if not self.record:
            raise NotFound("there is no such generation")
        return Story(self.job, tuple(self.events))

    async def jobs(self, tenant: str, *, limit: int, cursor: str | None) -> Any:
        return SimpleNamespace(jobs=[SimpleNamespace(id=job_id) for job_id in self.listed], cursor=None)

    async def get(self, key: str) -> bytes:
        if self.stored is None:
            raise NotStored("nothing there")
        return self.stored

    async def verify(self, data: bytes) -> Any:
        return SimpleNamespace(state=self.state, manifest_id="urn:c2pa:test")

    async def judged(self) -> Judge:
        witness: Any = SimpleNamespace(story=self.story, ledger=SimpleNamespace(jobs=self.jobs))
        services: Any = SimpleNamespace(store=self, verifier=self)
        judge = Judge(witness, services)
        asked = Accepted("ann", "key", {}, "j", 0.0, 1, self.canceled)
        await judge.hear([asked])
        await judge.count([asked])
        return judge


async def test_a_good_history_has_nothing_wrong_with_it() -> None:
    verdict = (await Scene().judged()).verdict
    assert (verdict.lost, verdict.duplicates, verdict.ends, verdict.pictures) == ({}, {}, {"succeeded": 1}, 1)


def _no_record(scene: Scene) -> None:
    scene.record = False


def _never_ended(scene: Scene) -> None:
    scene.job.state = JobState.RUNNING
    scene.events.pop()


def _another_end(scene: Scene) -> None:
    scene.events[-1] = event("failed", 6)


def _went_on_after_its_end(scene: Scene) -> None:
    scene.events.append(event("progress", 7))


def _picture_gone(scene: Scene) -> None:
    scene.stored = None


def _picture_changed(scene: Scene) -> None:
    scene.stored = b"another picture"


def _picture_unsigned(scene: Scene) -> None:
    scene.state = "unknown"


def _picture_missing(scene: Scene) -> None:
    scene.job.plan.seeds = (1, 2)


def _canceled_by_nobody(scene: Scene) -> None:
    scene.job.state, scene.events[-1] = JobState.CANCELED, event("canceled", 6)


def _failed(scene: Scene) -> None:
    scene.job.state, scene.events[-1] = JobState.FAILED, event("failed", 6)
    scene.job.failure = Failure(code="store_unavailable", message="away", retryable=True)


@pytest.mark.parametrize(
    "spoil",
    [
        _no_record,
        _never_ended,
        _another_end,
        _went_on_after_its_end,
        _picture_gone,
        _picture_changed,
        _picture_unsigned,
        _picture_missing,
        _canceled_by_nobody,
        _failed,
    ],
)
async def test_what_is_lost_is_found_and_its_story_told(spoil: Callable[[Scene], None]) -> None:
    scene = Scene()
    spoil(scene)
    verdict = (await scene.judged()).verdict
    assert list(verdict.lost) == ["j"]
    assert verdict.histories()[0].startswith("j: ")


async def test_two_ends_one_attempt_twice_and_jobs_that_nobody_knows_are_duplicates() -> None:
    scene = Scene()
    scene.events.append(event("succeeded", 7))
    assert (await scene.judged()).verdict.duplicates == {"j": ["2 final events"]}
    scene = Scene()
    scene.events[3] = event("running", 5, attempt=1)
    assert (await scene.judged()).verdict.duplicates == {"j": ["attempts [1, 1]"]}
    assert list((await Scene(listed=("j", "k")).judged()).verdict.duplicates) == ["k"]


async def test_an_attempt_that_was_handed_back_leaves_its_number_to_the_next() -> None:
    scene = Scene()
    scene.events[2] = event("requeued", 4, reason="released")
    scene.events[3] = event("running", 5, attempt=1)
    assert (await scene.judged()).verdict.duplicates == {}
    scene.events[4:4] = [event("requeued", 5.5, reason="worker_died"), event("running", 5.7, attempt=1)]
    assert (await scene.judged()).verdict.duplicates == {"j": ["attempts [1, 1]"]}


def told(kind: str = "generation.succeeded", message_id: str = "m", **more: Any) -> Message:
    return Message({"webhook-id": message_id}, json.dumps({"type": kind, "data": {"id": "j", **more}}).encode())


def test_webhooks_that_are_missing_or_differ_are_found() -> None:
    inbox = Inbox(random.Random(1))
    assert [twice for twice, _ in inbox.wrong_with("j", "succeeded")] == [False]
    inbox.sent["j"] += [told(), told()]
    inbox.taken["j"] += [told()]
    assert inbox.wrong_with("j", "succeeded") == []
    assert [twice for twice, _ in inbox.wrong_with("j", "failed")] == [True]
    inbox.sent["j"].append(told(message_id="other"))
    assert [twice for twice, _ in inbox.wrong_with("j", "succeeded")] == [True]
    inbox.sent["j"][-1] = told(images=[])
    assert [twice for twice, _ in inbox.wrong_with("j", "succeeded")] == [True]


def test_restarts_are_counted_from_the_death_to_the_next_claim() -> None:
    scene = Scene()
    stories = {"j": Story(scene.job, tuple(scene.events))}
    assert restarts([(3.0, ["j", "unheard of"])], stories).first == [2.0]
    assert restarts([(5.5, ["j"])], stories).later == [0.5]
    assert restarts([(3.0, ["j"])], stories, outages=[(2.0, 2.5)]).beside_outage == [2.0]
    assert restarts([(30.0, ["j"])], stories) == restarts([], stories)


def test_a_restart_does_not_count_what_it_waits_for_a_worker_with_room_once_it_is_in_line() -> None:
    scene = Scene()
    stories = {"j": Story(scene.job, tuple(scene.events))}
    full = [(2.5, 3.5), (4.25, 4.75), (4.9, 9.0)]
    found = restarts([(3.0, ["j"])], stories, without_room=full)
    assert found.first == [pytest.approx(2.0 - 0.5 - 0.1)]
    assert found.in_all == [2.0]


def test_a_wait_for_room_that_never_comes_fails_a_run_too() -> None:
    quick = {"restart_p99_s": 17.0, "restart_in_all_p99_s": 60.0}
    assert slow(quick) == []
    assert slow(quick | {"restart_p99_s": 17.1}) == ["restart_p99_s is 17.1, of 17.0 at most"]
    assert slow(quick | {"restart_in_all_p99_s": 61.0}) == ["restart_in_all_p99_s is 61.0, of 60.0 at most"]


def test_a_later_restart_does_not_count_what_attempts_are_spaced_by() -> None:
    lost = [event("requeued", 7, reason="lease_lost"), event("running", 13, attempt=3), event("succeeded", 14)]
    scene = Scene()
    stories = {"j": Story(scene.job, (*scene.events[:-1], *lost))}
    assert restarts([(5.5, ["j"])], stories).later == [2.5]
    assert restarts([(5.5, ["j"])], stories, without_room=[(8.0, 9.0), (12.5, 20.0)]).later == [2.0]


def test_a_percentile_is_one_of_the_values() -> None:
    assert (percentile([], 0.99), percentile([3.0], 0.99), percentile([1.0, 2.0, 3.0], 0.5)) == (0.0, 3.0, 2.0)
    assert percentile([float(n) for n in range(1, 201)], 0.99) == 199.0
