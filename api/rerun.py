"""A generation made again: the same settled request as a job of its own."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import Depends, Request
from pydantic import Field, TypeAdapter

from api.body import read_validated
from api.desk import Desks
from api.submission import Wanted, digest, enter
from api.words import asked_for
from darkroom import planner
from darkroom.contract.base import Asked
from darkroom.contract.generation import MAX_SEED
from darkroom.contract.job import Job
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import FromMask, FromNoise, PictureRef
from darkroom.errors import Gone, NotStored
from darkroom.inputs.shelf import fetch
from darkroom.ledger.protocol import Submitted
from darkroom.services import Services


class RerunAsked(Asked):
    """What is to be other than it was."""

    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | Literal["random"] | None = Field(
        default=None, description="of the first image, or `random`; absent, the same pictures are made again"
    )


_RERUN = TypeAdapter(RerunAsked)


async def rerun_request(request: Request) -> RerunAsked:
    """Nothing need be said. Raises: as `read_asked`."""
    declared = request.headers.get("content-length", "0").strip()
    if declared == "0" and "transfer-encoding" not in request.headers:
        return RerunAsked()
    return await read_validated(request, _RERUN)


AskedRerun = Annotated[RerunAsked, Depends(rerun_request)]


async def rerun(
    services: Services, desks: Desks, job: Job, asked: RerunAsked, idempotency_key: str | None
) -> Submitted:
    """Put the generation of `job` in line once more, under the policy that holds now.

    Raises: Gone when something that it was made of is not there any more; IdempotencyMismatch, TenantLimit, QueueFull,
        LedgerUnavailable, StoreUnavailable, ModelError, GenerationBlocked, SafetyUnavailable.
    """

    async def settled() -> GenerationPlan:
        await _require_pictures(services, job)
        seed = planner.random_seed() if asked.seed == "random" else asked.seed
        return planner.plan_again(
            job.generation, services.catalog, now=time.time(), accepted_at=job.created_at, seed=seed
        )

    words = asked_for(job.generation.prompt, job.generation.negative_prompt)
    body = json.dumps(["rerun", job.id, asked.seed])
    wanted = Wanted(words, job.generation.safety.asked, settled)
    return await enter(services, desks, job.tenant, wanted, idempotency_key, digest(body), job.webhook)


async def _require_pictures(services: Services, job: Job) -> None:
    """Raises: Gone, StoreUnavailable."""
    for ref in _pictures(job.generation):
        try:
            await fetch(services.store, job.tenant, ref.sha256)
        except NotStored:
            raise Gone(f"the picture {ref.sha256} that this generation began with is not kept any more") from None


def _pictures(plan: GenerationPlan) -> Iterator[PictureRef]:
    if not isinstance(plan.start, FromNoise):
        yield plan.start.image
    if isinstance(plan.start, FromMask):
        yield plan.start.mask
    for control in plan.controls:
        yield control.image
