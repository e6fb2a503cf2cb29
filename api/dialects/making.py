"""Pictures for a caller who waits for them, as most other protocols have it: from a request to the finished job."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request

from api.addresses import base_url
from api.desk import Desks
from api.receivers import webhook_of
from api.submission import submit
from api.waiting import follow
from darkroom import errors
from darkroom.contract.generation import GenerationRequest
from darkroom.contract.job import Job, JobState
from darkroom.contract.plan import Notice
from darkroom.errors import (
    DarkroomError,
    GenerationBlocked,
    GenerationCanceled,
    GenerationError,
    GenerationExpired,
    StillRunning,
    UnavailableError,
    WaitTimedOut,
)
from darkroom.ledger.protocol import Ledger, Submitted
from darkroom.log import get_logger
from darkroom.services import Services

AWAY_SECONDS = 0.5
CANCEL_SECONDS = 5.0

_log = get_logger(__name__)


async def enter(
    request: Request,
    services: Services,
    tenant: str,
    asked: GenerationRequest,
    notices: Sequence[Notice] = (),
    key: str | None = None,
) -> Submitted:
    """A job for the request. `key`: its idempotency key. Raises: as `submit`, and as `webhook_of`."""
    desks: Desks = request.app.state.desks
    webhook = webhook_of(services, tenant, asked, base_url(request, services.settings))
    return await submit(services, desks, tenant, asked, key, webhook, tuple(notices))


async def made(
    request: Request,
    services: Services,
    tenant: str,
    asked: GenerationRequest,
    notices: Sequence[Notice] = (),
    key: str | None = None,
) -> Job:
    """The job, succeeded.

    When the caller hangs up, or time is up, the job is canceled: nobody could fetch its pictures, and who asks again
    would have them made twice. With an idempotency key it goes on, since the same request comes back to it.
    Raises: as `enter`; NoPicture and what it failed with, as it ended; CapacityError, TenantLimit where too many
        wait, before there is a job.
    """
    return await awaited(
        request, services, tenant, lambda: enter(request, services, tenant, asked, notices, key), kept=key is not None
    )


async def awaited(
    request: Request, services: Services, tenant: str, entering: Callable[[], Awaitable[Submitted]], *, kept: bool
) -> Job:
    """As `made`, of the job that `entering` makes. `kept`: with an idempotency key.

    `entering` may hold megabytes of pictures, and many callers wait: it is let go as soon as there is a job.
    """
    desks: Desks = request.app.state.desks
    with desks.listeners.of(tenant):
        submitted = await entering()
        del entering
        job = await ended(request, services, submitted.job)
    if not job.state.terminal:
        job = await left(request, services.ledger, job, kept=kept)
    return succeeded(job)


async def ended(request: Request, services: Services, job: Job) -> Job:
    """The job when it has ended, or `compat_wait` is over, the caller hung up or the gateway stops.

    An outage of the ledger meanwhile changes nothing about the job, and is waited out.
    """
    until = time.monotonic() + services.settings.compat_wait
    while True:
        try:
            await follow(services.ledger, job, until, request)
            return await services.ledger.get(job.tenant, job.id)
        except UnavailableError:
            if time.monotonic() > until or request.app.state.stopping.is_set() or await request.is_disconnected():
                return job
            await asyncio.sleep(AWAY_SECONDS)


async def left(request: Request, ledger: Ledger, job: Job, *, kept: bool) -> Job:
    """What becomes of a job that nobody waits for any more. Raises: WaitTimedOut, UnavailableError."""
    if not kept:
        job = await _canceled(ledger, job)
        if job.state is not JobState.CANCELED:
            return job
    if request.app.state.stopping.is_set():
        raise UnavailableError("this gateway is being stopped; ask again")
    goes_on = "it goes on, and the same request with its Idempotency-Key waits again" if kept else "it was canceled"
    kind = StillRunning if kept else WaitTimedOut
    raise kind(f"the generation has not ended in the time that is waited for one; {goes_on}")


async def _canceled(ledger: Ledger, job: Job) -> Job:
    """The job as it is then, which may have ended otherwise.

    Raises: WaitTimedOut where the ledger stays away. That is final, since the job may go on: who asked again would have
        its pictures made twice.
    """
    until = time.monotonic() + CANCEL_SECONDS
    while True:
        try:
            return await ledger.cancel(job.tenant, job.id)
        except UnavailableError as error:
            if time.monotonic() > until:
                _log.warning("generation.not_canceled", job=job.id, code=error.code)
                raise WaitTimedOut("the generation has not ended in time, and could not be canceled") from error
            await asyncio.sleep(AWAY_SECONDS)


def succeeded(job: Job) -> Job:
    """The job, if it has its pictures. Raises: NoPicture, or the error that it failed with."""
    match job.state:
        case JobState.SUCCEEDED:
            return job
        case JobState.CANCELED:
            raise GenerationCanceled("the generation was canceled")
        case JobState.EXPIRED:
            raise GenerationExpired("the generation had not begun by its deadline")
        case JobState.BLOCKED:
            raise GenerationBlocked(job.failure.message if job.failure else "the generation was blocked")
    raise _failure_of(job)


def _failure_of(job: Job) -> DarkroomError:
    """The failure of a job as the error that its code names."""
    kind = _KINDS.get(job.failure.code, GenerationError) if job.failure else GenerationError
    error = kind.__new__(kind)
    DarkroomError.__init__(error, job.failure.message if job.failure else "the generation failed")
    error.ended_job = True
    return error


# Of any kind: a job may also end with what its input or its store came to.
_KINDS: dict[str, type[DarkroomError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DarkroomError)
}
