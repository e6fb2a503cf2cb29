"""From a request to a job in line."""

import hashlib
import json
import time

from ulid import ULID

from darkroom import planner
from darkroom.contract.generation import GenerationRequest
from darkroom.errors import UnavailableError
from darkroom.ledger.protocol import Submission, Submitted
from darkroom.log import get_logger
from darkroom.services import Services

_log = get_logger(__name__)


async def submit(services: Services, tenant: str, asked: GenerationRequest, idempotency_key: str | None) -> Submitted:
    """Settle the request, record it, and ring for a worker.

    Raises: UnknownModel, UnknownLora, LoraMisfit, UnknownScheduler, InvalidField, IdempotencyMismatch, TenantLimit,
        QueueFull, LedgerUnavailable, ModelError.
    """
    plan = planner.plan(asked, services.catalog, now=time.time())
    submitted = await services.ledger.submit(
        Submission(
            job_id=str(ULID()),
            tenant=tenant,
            plan=plan,
            idempotency_key=idempotency_key,
            body_hash=body_hash(asked),
        )
    )
    if not submitted.replayed:
        await _ring(services, plan.model)
    return submitted


def body_hash(asked: GenerationRequest) -> str:
    """sha256 of the request's canonical form: what was left out and what was spelled out as its default are one."""
    canonical = json.dumps(asked.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


async def _ring(services: Services, model: str) -> None:
    try:
        await services.bells.ring(model)
    except UnavailableError as error:
        # The job is safe in the ledger, and whoever reaps rings again: the caller need not hear of it.
        _log.warning("bell_lost", model=model, code=error.code)
