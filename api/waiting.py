"""`Prefer: wait=N` (RFC 7240): hold the answer back until the job has ended, for at most N seconds."""

import re
import time

from starlette.requests import Request

from api.desk import Desks
from api.events import FROM_THE_START, ends
from darkroom.contract.job import Job
from darkroom.errors import CapacityError, UnavailableError
from darkroom.ledger.protocol import Ledger

MAX_WAIT_SECONDS = 60
_WAIT = re.compile(r'wait\s*=\s*"?([0-9]+)"?', re.ASCII | re.IGNORECASE)
_MOST_DIGITS = 9  # the first nine of more are too many seconds, too
_SLICE_SECONDS = 1.0


def wanted_wait(prefer: str | None) -> int:
    """Seconds to wait, cut to what we grant. A preference we cannot read is no error: RFC 7240 says to ignore it."""
    for preference in (prefer or "").split(","):
        if found := _WAIT.fullmatch(preference.partition(";")[0].strip()):
            return min(int(found[1].lstrip("0")[:_MOST_DIGITS] or 0), MAX_WAIT_SECONDS)
    return 0


async def wait_for_end(ledger: Ledger, job: Job, seconds: float, request: Request) -> Job:
    """The job as it is once it ended, time is up, the caller hung up or the server stops, whichever is first.

    A ledger that goes away meanwhile changes nothing about the job being accepted: it is shown as it was. So it
    is where too many wait already.
    """
    desks: Desks = request.app.state.desks
    try:
        with desks.listeners.of(job.tenant):
            await follow(ledger, job, time.monotonic() + seconds, request)
        return await ledger.get(job.tenant, job.id)
    except (UnavailableError, CapacityError):
        return job


async def follow(ledger: Ledger, job: Job, until: float, request: Request) -> None:
    """Return once the job has ended, `until` (monotonic) has passed, the caller hung up or the server stops.

    Raises: LedgerUnavailable.
    """
    after = FROM_THE_START
    while not job.state.terminal and (left := until - time.monotonic()) > 0:
        events = await ledger.events(job.id, after=after, wait=min(left, _SLICE_SECONDS))
        if any(ends(event) for event in events):
            return
        after = events[-1].id if events else after
        if request.app.state.stopping.is_set() or await request.is_disconnected():
            return
