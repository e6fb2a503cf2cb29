"""How far the caller's pictures are.

A1111 makes one thing at a time: shown is the oldest job that runs, or where none does, the oldest that waits.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from darkroom.contract.job import Job, JobState
from darkroom.ledger.protocol import Ledger, Outlook

# Of what is running, as A1111 has it: it divides by this.
_BEGUN = 0.01
# Reading a record takes about a millisecond, and clients ask several times a second how far it is: they look at few.
FEW = 6
MANY = 25
_MOST = 100


@dataclass(frozen=True)
class Standing:
    """A caller's jobs, each list the oldest first. `newest` may have ended."""

    running: tuple[Job, ...] = ()
    waiting: tuple[Job, ...] = ()
    newest: Job | None = None

    @property
    def current(self) -> Job | None:
        return next(iter((*self.running, *self.waiting)), None)


async def standing(ledger: Ledger, tenant: str, at_once: int) -> Standing:
    """Of so many of the tenant's newest jobs, and of as many older ones while all that were seen are unfinished.

    Raises: LedgerUnavailable.
    """
    seen: list[Job] = []
    cursor: str | None = None
    while len(seen) < _MOST:
        page = await ledger.jobs(tenant, limit=at_once, cursor=cursor)
        seen += page.jobs
        cursor = page.cursor
        if cursor is None or any(job.state.terminal for job in page.jobs):
            break
    return _sorted(seen)


def _sorted(newest_first: Sequence[Job]) -> Standing:
    oldest_first = tuple(reversed(newest_first))
    return Standing(
        tuple(job for job in oldest_first if job.state is JobState.RUNNING),
        tuple(job for job in oldest_first if job.state is JobState.QUEUED),
        newest_first[0] if newest_first else None,
    )


def shown(standing: Standing, outlook: Outlook | None, now: float, image: str | None) -> dict[str, Any]:
    """`outlook`: of the current job, if it waits. `image`: a preview in base64."""
    job = standing.current
    if job is None:
        interrupted = standing.newest is not None and standing.newest.state is JobState.CANCELED
        return _answer(0.0, 0.0, _state(interrupted=interrupted), None, None)
    state = _state(
        job=f"task({job.id})",
        job_count=1,
        job_timestamp=time.strftime("%Y%m%d%H%M%S", time.gmtime(job.created_at)),
        sampling_step=_of_one(job, job.progress.step if job.progress else 0),
        sampling_steps=_of_one(job, job.progress.steps) if job.progress else job.generation.computed_steps,
    )
    share = job.progress.step / job.progress.steps if job.progress and job.progress.steps else 0.0
    text = _waits(outlook) if job.state is JobState.QUEUED else None
    return _answer(min(1.0, max(_BEGUN, share)), _seconds_left(job, share, outlook, now), state, image, text)


def _answer(
    progress: float, seconds: float, state: dict[str, Any], image: str | None, text: str | None
) -> dict[str, Any]:
    return {
        "progress": progress,
        "eta_relative": seconds,
        "state": state,
        "current_image": image,
        "textinfo": text,
    }


def _state(**said: Any) -> dict[str, Any]:
    idle = {
        "skipped": False,
        "interrupted": False,
        "stopping_generation": False,
        "job": "",
        "job_count": 0,
        "job_timestamp": "0",
        "job_no": 0,
        "sampling_step": 0,
        "sampling_steps": 0,
    }
    return {**idle, **said}


def _of_one(job: Job, steps: int) -> int:
    """Its images are made side by side."""
    return steps // max(1, len(job.generation.seeds))


def _seconds_left(job: Job, share: float, outlook: Outlook | None, now: float) -> float:
    if job.state is JobState.QUEUED:
        return outlook.own_seconds + (outlook.wait_seconds or 0.0) if outlook else job.plan.predicted_seconds
    if share <= 0 or job.started_at is None:
        return job.plan.predicted_seconds
    return max(0.0, now - job.started_at) * (1 - share) / share


def _waits(outlook: Outlook | None) -> str:
    if outlook is None or outlook.position is None:
        return "waiting"
    if outlook.wait_seconds is None:
        return f"waiting behind {outlook.position} of yours; no worker serves this model now"
    return f"waiting behind {outlook.position} of yours, about {round(outlook.wait_seconds)} s"
