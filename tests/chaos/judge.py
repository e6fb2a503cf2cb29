"""What must hold when everything has calmed down. Each finding is a sentence that says what is wrong, of which job."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from darkroom.contract.job import JobState
from darkroom.errors import DarkroomError
from darkroom.ledger.rules import Rules
from darkroom.services import Services
from tests.chaos.callers import Accepted, Crowd
from tests.chaos.inbox import Inbox
from tests.chaos.room import together
from tests.chaos.witness import Story, Witness

# Ends that a job may come to through no fault of anybody's here.
FAIR_FAILURES = {"attempts_exhausted"}
RULES = Rules()


@dataclass
class Verdict:
    """`lost`: jobs without their one end, or without what it promises. `duplicates`: what came twice. `untold`: ends
    that no webhook told of."""

    lost: dict[str, list[str]] = field(default_factory=dict)
    duplicates: dict[str, list[str]] = field(default_factory=dict)
    stories: dict[str, Story] = field(default_factory=dict)
    untold: dict[str, list[str]] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    pictures: int = 0
    replays: int = 0

    def loses(self, job_id: str, what: str) -> None:
        self.lost.setdefault(job_id, []).append(what)

    def doubles(self, job_id: str, what: str) -> None:
        self.duplicates.setdefault(job_id, []).append(what)

    def histories(self) -> list[str]:
        """For a person: every job something is wrong with, and its story."""
        lines = []
        wrong = (self.lost, self.duplicates, self.untold)
        for job_id in sorted({job_id for kind in wrong for job_id in kind}):
            lines.append(f"{job_id}: " + "; ".join(what for kind in wrong for what in kind.get(job_id, ())))
            lines += [f"    {line}" for line in (self.stories[job_id].told() if job_id in self.stories else ())]
        return lines


class Judge:
    """`services` are a gateway's, past the proxies: its store and its verifier see what callers would."""

    def __init__(self, witness: Witness, services: Services) -> None:
        self._witness = witness
        self._services = services
        self.verdict = Verdict()

    async def hear(self, accepted: Sequence[Accepted]) -> None:
        """Every accepted job: one record, one end, pictures that are there, whole and signed."""
        for job in accepted:
            try:
                story = await self._witness.story(job.tenant, job.job_id)
            except DarkroomError as error:
                self.verdict.loses(job.job_id, f"no record: {error.code}")
                continue
            self.verdict.stories[job.job_id] = story
            self._one_end(job, story)
            await self._pictures(story)

    def _one_end(self, asked: Accepted, story: Story) -> None:
        job, ends = story.job, story.ends
        name = job.failure.code if job.failure else job.state.value
        self.verdict.ends[name] = self.verdict.ends.get(name, 0) + 1
        if not job.state.terminal or not ends:
            self.verdict.loses(job.id, f"never ended: {job.state.value}, {len(ends)} final events")
        elif len(ends) > 1:
            self.verdict.doubles(job.id, f"{len(ends)} final events")
        elif ends[0].name != job.state.value or story.events[-1] != ends[0]:
            self.verdict.loses(job.id, f"is {job.state.value}, and its story does not end so")
        if job.failure and job.failure.code not in FAIR_FAILURES:
            self.verdict.loses(job.id, f"failed with {job.failure.code}: {job.failure.message}")
        if job.state is JobState.CANCELED and not asked.canceled:
            self.verdict.loses(job.id, "canceled, and nobody asked for it")
        attempts = attempts_in(story)
        if len(attempts) != len(set(attempts)):
            self.verdict.doubles(job.id, f"attempts {attempts}")

    async def _pictures(self, story: Story) -> None:
        job = story.job
        if job.state is not JobState.SUCCEEDED:
            return
        if [artifact.index for artifact in job.artifacts] != list(range(len(job.plan.seeds))):  # type: ignore[union-attr]
            self.verdict.loses(job.id, "not the pictures that were asked for")
        for artifact in job.artifacts:
            try:
                data = await self._services.store.get(artifact.key)
                verdict = await self._services.verifier.verify(data)
            except DarkroomError as error:
                self.verdict.loses(job.id, f"picture {artifact.index} cannot be had: {error.code}")
                continue
            self.verdict.pictures += 1
            if hashlib.sha256(data).hexdigest() != artifact.sha256:
                self.verdict.loses(job.id, f"picture {artifact.index} is not the one recorded")
            if (verdict.state, verdict.manifest_id) != ("intact", artifact.manifest_id):
                self.verdict.loses(job.id, f"picture {artifact.index} is {verdict.state}, {verdict.manifest_id}")

    def read(self, inbox: Inbox) -> None:
        """One message for each end, however often it was sent."""
        for job_id, story in self.verdict.stories.items():
            for twice, what in inbox.wrong_with(job_id, story.job.state.value):
                (self.verdict.duplicates if twice else self.verdict.untold).setdefault(job_id, []).append(what)

    async def hear_again(self, crowd: Crowd) -> None:
        """Every request once more, under its key: the same job, and no others in the tenant's list."""
        limit = asyncio.Semaphore(4)

        async def once(job: Accepted) -> None:
            async with limit:
                answer = await crowd.ask_again(job)
            self.verdict.replays += 1
            if answer is None or answer.status_code not in (200, 202):
                self.verdict.loses(job.job_id, f"asked again: {answer.status_code if answer else 'no answer'}")
            elif answer.json()["id"] != job.job_id:
                self.verdict.doubles(job.job_id, f"asked again, it became {answer.json()['id']}")

        await asyncio.gather(*map(once, crowd.accepted))

    async def count(self, accepted: Sequence[Accepted]) -> None:
        """A job whose caller was never told of it was made twice."""
        known = {job.job_id for job in accepted}
        for tenant in {job.tenant for job in accepted}:
            cursor = None
            while True:
                page = await self._witness.ledger.jobs(tenant, limit=100, cursor=cursor)
                for job in page.jobs:
                    if job.id not in known:
                        self.verdict.doubles(job.id, "exists, and nobody was told of it")
                if (cursor := page.cursor) is None:
                    break


def attempts_in(story: Story) -> list[object]:
    """The numbers of those that counted: one that was handed back leaves its number to the next."""
    counted: list[object] = []
    for event in story.events:
        if event.name == "running":
            counted.append(event.data.get("attempt"))
        elif event.name == "requeued" and event.data.get("reason") == "released" and counted:
            counted.pop()
    return counted


@dataclass(frozen=True)
class Restarts:
    """Seconds from the death of a worker to the next claim, or the end, of each job it held, less those in which it had
    been put back and no worker had room. `first`: it had lost no attempt before, and Redis was there; `in_all`: the
    same, with nothing taken off. `later`: it had; less what such attempts are spaced by on purpose. `beside_outage`:
    Redis had been away, after which every lease gets one more term.
    """

    first: list[float] = field(default_factory=list)
    in_all: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    beside_outage: list[float] = field(default_factory=list)


def restarts(
    deaths: Iterable[tuple[float, Sequence[str]]],
    stories: Mapping[str, Story],
    outages: Sequence[tuple[float, float]] = (),
    without_room: Sequence[tuple[float, float]] = (),
    term: float = RULES.lease_ms / 1000,
) -> Restarts:
    """`outages`: when Redis went and came back. `without_room`: when no worker held nothing. `term`: seconds of a
    lease.
    """
    found = Restarts()
    for died_at, jobs in deaths:
        for story in (stories[job_id] for job_id in jobs if job_id in stories):
            claimed = [event.at for event in story.events if event.name == "running"]
            moved = [at for at in (*claimed, *(end.at for end in story.ends)) if at >= died_at]
            if not moved:
                continue
            again_at = min(moved)
            lost = sum(at < died_at for at in claimed)
            put_back = _put_back(story, died_at)
            spaced = RULES.retry_delay_ms(lost) / 1000 if put_back <= again_at else 0.0
            waited = again_at - died_at - together(put_back + spaced, again_at, without_room)
            if any(began < again_at and ended + term > died_at for began, ended in outages):
                found.beside_outage.append(waited)
            elif lost <= 1:
                found.first.append(waited)
                found.in_all.append(again_at - died_at)
            else:
                found.later.append(waited - spaced)
    return found


def _put_back(story: Story, died_at: float) -> float:
    """When the job of one who died was in line again; for ever later where it never was, as it had ended."""
    return min((event.at for event in story.events if event.name == "requeued" and event.at >= died_at), default=inf)


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that so much of them does not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
