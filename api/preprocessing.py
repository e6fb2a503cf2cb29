"""From a picture to its control map: one that was made before, or a job in line."""

from dataclasses import dataclass

from ulid import ULID

from api.desk import Desks
from api.errands import fetched
from api.kinds import preprocess_plan
from api.quotas import quota_of
from api.resources import asset_of
from api.submission import ring
from darkroom import planner
from darkroom.contract.control import ControlType
from darkroom.contract.job import Job, JobState
from darkroom.contract.preprocess import PreprocessAsked, PreprocessPlan
from darkroom.contract.preprocessing import Preprocessing
from darkroom.contract.start import PictureRef
from darkroom.inputs.maps import map_name, recall
from darkroom.inputs.reading import Sources, read_picture
from darkroom.inputs.shelf import keep
from darkroom.ledger.protocol import Submission, Submitted
from darkroom.safety import policies
from darkroom.services import Services
from darkroom.tracing import carried

# Jobs for one map that failed within a day, before each request gets one of its own: every one is a call to the ledger.
MOST_SUCCESSORS = 32


@dataclass(frozen=True)
class Made:
    """The map was there already."""

    type: ControlType
    ref: PictureRef


async def preprocess(services: Services, desks: Desks, tenant: str, asked: PreprocessAsked) -> Made | Job:
    """The map asked for, or the job that makes it: the one that is under way, if the same is asked twice.

    Raises: PreprocessorUnavailable, InvalidField, CapacityError, TenantLimit, QueueFull, LedgerUnavailable,
        StoreUnavailable, UrlRefused, UrlUnreachable, PayloadTooLarge.
    """
    maker = services.catalog.preprocessors.spec(asked.type, "type")
    urls = fetched(desks.errands, tenant, {"image": asked.image}, services.guard)
    async with urls as files, desks.reading.of(tenant):
        found = await read_picture(Sources(services.store, tenant, files), "image", asked.image)
    picture = found.picture.packed()
    demanded = policies.demanded(services.settings, tenant)
    bar = policies.bar(services.settings, demanded)
    name = map_name(picture.ref, maker.digest, asked.detect_resolution, bar)
    if ref := await recall(services.store, tenant, name):
        return Made(asked.type, ref)
    if found.sent:
        await keep(services.store, tenant, picture)
    plan = planner.plan_preprocess(asked, picture.ref, name, services.catalog, demanded)
    return (await _submit(services, tenant, plan)).job


async def shown(services: Services, job: Job) -> Preprocessing:
    """Raises: NotFound for a job of another kind; StoreUnavailable."""
    plan = preprocess_plan(job)
    ended_well = job.state is JobState.SUCCEEDED
    ref = await recall(services.store, job.tenant, plan.map_name) if ended_well else None
    return Preprocessing(
        id=job.id, state=job.state, type=plan.type, map=asset_of(ref) if ref else None, failure=job.failure
    )


def shown_made(made: Made) -> Preprocessing:
    return Preprocessing(id=None, state=JobState.SUCCEEDED, type=made.type, map=asset_of(made.ref), failure=None)


async def cancel(services: Services, tenant: str, job_id: str) -> Job:
    """For all who asked for this map. Raises: NotFound, for a job of another kind too."""
    preprocess_plan(await services.ledger.get(tenant, job_id))
    return await services.ledger.cancel(tenant, job_id)


async def _submit(services: Services, tenant: str, plan: PreprocessPlan) -> Submitted:
    """One job for all who ask for the same map. One that ended and left no map is not waited for again: its successor
    is found by its id, so that this, too, is one for all."""
    # The space keeps it apart from callers' own keys, which have none.
    key = f"map {plan.map_name}"
    for _ in range(MOST_SUCCESSORS):
        submitted = await _one_job(services, tenant, plan, key)
        if not (submitted.replayed and submitted.job.state.terminal):
            break
        key = f"map {plan.map_name} after {submitted.job.id}"
    else:
        submitted = await _one_job(services, tenant, plan, None)
    if not submitted.replayed:
        await ring(services, plan.model)
    return submitted


async def _one_job(services: Services, tenant: str, plan: PreprocessPlan, key: str | None) -> Submitted:
    return await services.ledger.submit(
        Submission(
            job_id=str(ULID()),
            tenant=tenant,
            plan=plan,
            idempotency_key=key,
            body_hash=plan.map_name,
            quota=quota_of(services.settings, tenant),
            trace=carried(),
        )
    )
