"""From a request to a job in line."""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ulid import ULID

from api.desk import Desks
from api.errands import fetched
from api.quotas import spend_one
from api.words import asked_for, looked_at
from darkroom import crash, planner
from darkroom.contract.generation import GenerationRequest, TextToImage
from darkroom.contract.inputs import Inputs, NoPicture
from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.safety import SafetyAsked
from darkroom.contract.webhook import Webhook
from darkroom.errors import UnavailableError
from darkroom.inputs.reading import Sources, pictures_of, read_inputs
from darkroom.inputs.shelf import keep
from darkroom.ledger.protocol import Submission, Submitted
from darkroom.log import get_logger
from darkroom.safety import policies
from darkroom.services import Services
from darkroom.tracing import carried

_log = get_logger(__name__)


async def submit(
    services: Services,
    desks: Desks,
    tenant: str,
    asked: GenerationRequest,
    idempotency_key: str | None,
    webhook: Webhook | None = None,
    notices: tuple[Notice, ...] = (),
) -> Submitted:
    """Look at the request's words, settle it, record it, and ring for a worker. Its pictures are read at `desks`.

    `notices` are what was remarked on it before, and go with it.

    Raises: UnknownModel, UnknownLora, LoraMisfit, UnknownVae, VaeMisfit, UnknownControlnet, ControlnetMisfit,
        PreprocessorUnavailable, UnknownScheduler, InvalidField, IdempotencyMismatch, CapacityError,
        TenantLimit, QueueFull, LedgerUnavailable, StoreUnavailable, ModelError, UrlRefused, UrlUnreachable,
        PayloadTooLarge, GenerationBlocked, SafetyUnavailable.
    """

    async def settle() -> GenerationPlan:
        plan = await _settled(services, desks, tenant, asked)
        return plan.model_copy(update={"warnings": (*notices, *plan.warnings)}) if notices else plan

    wanted = Wanted(asked_for(asked.prompt, asked.negative_prompt), asked.safety or SafetyAsked(), settle)
    return await enter(services, desks, tenant, wanted, idempotency_key, body_hash(asked), webhook)


@dataclass(frozen=True)
class Wanted:
    """A generation before it is settled, and how strictly its own request wants it looked at. `words` say what is to be
    seen."""

    words: str
    safety: SafetyAsked
    settle: Callable[[], Awaitable[GenerationPlan]]


async def enter(
    services: Services,
    desks: Desks,
    tenant: str,
    wanted: Wanted,
    idempotency_key: str | None,
    hashed: str,
    webhook: Webhook | None,
) -> Submitted:
    """Record what is wanted as a job, and ring for a worker.

    A key that was used before is answered from the ledger alone: by then a picture or model of the request may be gone,
    or a line full. Two at once both settle, and the ledger takes the first.
    Its words are looked at before it counts as one that was asked for.
    """
    if idempotency_key is not None and (first := await services.ledger.replay(tenant, idempotency_key, hashed)):
        return first
    demanded = policies.demanded(services.settings, tenant)
    found = await looked_at(services, desks, tenant, demanded.stricter(wanted.safety.policy).prompt, wanted.words)
    quota = await spend_one(services, tenant)
    plan = planner.guarded(await wanted.settle(), demanded, wanted.safety, found)
    submitted = await services.ledger.submit(
        Submission(
            job_id=str(ULID()),
            tenant=tenant,
            plan=plan,
            idempotency_key=idempotency_key,
            body_hash=hashed,
            webhook=webhook,
            quota=quota,
            trace=carried(),
        )
    )
    crash.here("after_commit_before_reply")
    if not submitted.replayed:
        await ring(services, plan.model)
    return submitted


async def _settled(services: Services, desks: Desks, tenant: str, asked: GenerationRequest) -> GenerationPlan:
    """The plan, its pictures in the store: a worker must find them whenever it comes to the job."""
    if isinstance(asked, TextToImage) and not asked.controlnets:
        return _planned(services, asked, NoPicture())
    urls = fetched(desks.errands, tenant, pictures_of(asked), services.guard)
    async with urls as files, desks.reading.of(tenant):
        read = await read_inputs(Sources(services.store, tenant, files), asked)
        plan = _planned(services, asked, read.inputs)
    for picture in read.sent:
        await keep(services.store, tenant, picture)
    return plan


def _planned(services: Services, asked: GenerationRequest, inputs: Inputs) -> GenerationPlan:
    previews = services.settings.previews
    return planner.plan(asked, services.catalog, inputs, now=time.time(), labels=services.labels, previews=previews)


def body_hash(asked: GenerationRequest) -> str:
    """sha256 of the request's canonical form: what was left out and what was spelled out as its default are one."""
    fields = asked.model_dump(mode="json")
    if asked.safety is None:  # as requests were hashed before there was such a field
        del fields["safety"]
    for name in ("image", "mask"):  # escaping megabytes of base64 would hold everybody up
        if name in fields:
            fields[name] = digest(fields[name])
    for control in fields["controlnets"]:
        control["image"] = digest(control["image"])
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return digest(canonical)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def ring(services: Services, model: str) -> None:
    """Wake a worker, if a bell can be had."""
    try:
        await services.bells.ring(model)
    except UnavailableError as error:
        # The job is safe in the ledger, and whoever reaps rings again: the caller need not hear of it.
        _log.warning("bell.lost", model=model, code=error.code)
