"""A gateway whose worker is played by hand, and ends every job as its prompt says."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from darkroom import errors
from darkroom.contract.job import Failure, JobState
from darkroom.errors import DarkroomError, GenerationError, ModelError, SafetyUnavailable, StoreError
from darkroom.ledger.protocol import Claim, Outcome
from darkroom.services import Services
from tests.fakes import fake_services
from tests.gateway import served

CANCELED = "canceled"
# Codes that a job may fail with, also by a fault of ours, and whether the same may succeed later.
RETRYABLE: Mapping[str, bool] = MappingProxyType(
    {
        kind.code: kind.retryable
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, DarkroomError)
        and (issubclass(kind, GenerationError | ModelError | SafetyUnavailable) or kind in (DarkroomError, StoreError))
    }
)
ENDS = (*sorted(RETRYABLE), CANCELED)


@dataclass(frozen=True)
class Failing:
    url: str
    services: Services

    def made(self) -> Counter[str]:
        """How many jobs there were, by prompt."""
        page = asyncio.run(self.services.ledger.jobs("local", limit=100, cursor=None))
        return Counter(job.generation.prompt for job in page.jobs)


@contextmanager
def failing() -> Iterator[Failing]:
    services, over = fake_services(), threading.Event()
    with served(services) as (host, port):
        worker = threading.Thread(target=lambda: asyncio.run(_work(services, over)))
        worker.start()
        try:
            yield Failing(f"http://{host}:{port}", services)
        finally:
            over.set()
            worker.join(10)


async def _work(services: Services, over: threading.Event) -> None:
    while not over.is_set():
        for claim in await services.ledger.claim("worker-1", [services.catalog.default], 8):
            await _end(services, claim)
        await asyncio.sleep(0.01)


async def _end(services: Services, claim: Claim) -> None:
    code = claim.generation.prompt
    if code == CANCELED:
        await services.ledger.cancel("local", claim.job_id)
        return
    failure = Failure(code=code, message=f"it ended as {code}", retryable=RETRYABLE[code])
    outcome = Outcome(state=JobState.FAILED, failure=failure, device_seconds=0.5)
    await services.ledger.finish(claim.job_id, claim.attempt, outcome)
