"""Jobs come in kinds, and a route of one kind knows nothing of the others."""

from darkroom.contract.job import Job
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.preprocess import PreprocessPlan
from darkroom.errors import NotFound
from darkroom.ledger.protocol import Ledger


async def generation_job(ledger: Ledger, tenant: str, job_id: str) -> Job:
    """A generation of this tenant. Raises: NotFound, also for a job of another kind; LedgerUnavailable."""
    job = await ledger.get(tenant, job_id)
    generation_plan(job)
    return job


def generation_plan(job: Job) -> GenerationPlan:
    """Raises: NotFound for a job of another kind."""
    if not isinstance(job.plan, GenerationPlan):
        raise NotFound("no such generation")
    return job.plan


def preprocess_plan(job: Job) -> PreprocessPlan:
    """Raises: NotFound for a job of another kind."""
    if not isinstance(job.plan, PreprocessPlan):
        raise NotFound("no such preprocessing")
    return job.plan
