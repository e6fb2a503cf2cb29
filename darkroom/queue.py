"""The doorbell: RQ wakes idle workers. The ledger knows what there is to do, so a bell carries only a model's name.

A bell is advice. One that is lost does no harm, since whoever reaps rings again while something waits; one too many
makes a worker look and find nothing. RQ is used through its public API alone, and never through what cleans up as it
counts (`len(registry)`, `registry.count`), which races.
"""

import asyncio
from typing import Protocol

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from darkroom.ledger.protocol import Ledger
from darkroom.settings import Settings

SERVE = "worker.tasks.serve"
_FAILURE_TTL_SECONDS = 60

_log = structlog.get_logger(__name__)


def queue_name(model: str) -> str:
    """The RQ queue that workers serving `model` listen to."""
    return f"generate.{model}"


class Bells(Protocol):
    async def ring(self, model: str) -> None:
        """Wake a worker that serves `model`. Never raises for a server that is away: a bell is advice."""
        ...


class SilentBells:
    """For tests and for processes whose worker needs no waking."""

    async def ring(self, model: str) -> None:
        return None


class RqBells:
    """Bells through RQ. At most one bell for each worker listening, so that no flood of jobs becomes a flood of bells;
    with no worker there, one waits for the first to come."""

    def __init__(self, settings: Settings) -> None:
        # Connecting and reading may each take their time-out; together they stay within the promised one.
        patience = settings.redis_timeout / 2
        self._redis = Redis.from_url(
            settings.redis_url.get_secret_value(),
            socket_timeout=patience,
            socket_connect_timeout=patience,
            retry=Retry(NoBackoff(), 0),
        )

    async def ring(self, model: str) -> None:
        try:
            await asyncio.to_thread(self._ring, model)
        except (RedisError, OSError) as error:
            _log.warning("bell.missed", model=model, error=type(error).__name__)

    def _ring(self, model: str) -> None:
        queue = Queue(queue_name(model), connection=self._redis, serializer=JSONSerializer)
        if queue.count >= max(1, self._listeners(queue)):
            return
        queue.enqueue(
            SERVE,
            model,
            job_timeout=-1,
            result_ttl=0,
            failure_ttl=_FAILURE_TTL_SECONDS,
            description="serve",
        )

    def _listeners(self, queue: Queue) -> int:
        """As `Worker.count(queue=queue)`, which fetches the name of every worker: 45 kB a ring for a thousand."""
        listeners: int = self._redis.scard(WORKERS_BY_QUEUE_KEY % queue.name)
        return listeners

    async def close(self) -> None:
        """Give connections back."""
        await asyncio.to_thread(self._redis.close)


async def rebell(ledger: Ledger, bells: Bells) -> None:
    """Ring for every model with jobs in line: rescues jobs whose bell was lost. Raises: LedgerUnavailable."""
    for model in await ledger.waiting():
        await bells.ring(model)
