"""When a generation is expected to have ended, and where it stands until then."""

from darkroom.contract.document import Place
from darkroom.contract.job import Job, JobState
from darkroom.ledger.protocol import Outlook


def place_of(outlook: Outlook) -> Place:
    return Place(position=outlook.position, ahead_seconds=outlook.ahead_seconds, workers=outlook.workers)


def eta_of(job: Job, outlook: Outlook | None, now: float) -> float | None:
    """Unix seconds, never in the past; None where nobody can know.

    Of a job that waits, by what goes before it and what it takes itself. Of one that runs, by the steps that are behind
    it, or else by what was predicted.
    """
    if job.state is JobState.QUEUED:
        if outlook is None or outlook.wait_seconds is None:
            return None
        return now + outlook.wait_seconds + outlook.own_seconds
    if job.state is not JobState.RUNNING or job.started_at is None:
        return None
    progress, spent = job.progress, now - job.started_at
    takes = spent * progress.steps / progress.step if progress and progress.step else job.plan.predicted_seconds
    return max(now, job.started_at + takes)
