"""What only the owner of a picture is told: which generation it came from, and in what words."""

from darkroom.contract.plan import GenerationPlan
from darkroom.errors import LedgerUnavailable, NotFound
from darkroom.provenance import Verdict
from darkroom.services import Services


async def with_prompt(verdict: Verdict, services: Services, tenant: str) -> Verdict:
    """The verdict, and for the owner the prompt, while the ledger keeps the generation and can be asked."""
    if verdict.owner is None:
        return verdict
    try:
        job = await services.ledger.get(tenant, verdict.owner.job_id)
    except (NotFound, LedgerUnavailable):
        return verdict
    if not isinstance(job.plan, GenerationPlan):
        return verdict
    words = {"prompt": job.plan.prompt, "negative_prompt": job.plan.negative_prompt}
    return verdict.model_copy(update={"owner": verdict.owner.model_copy(update=words)})
