"""What the ledger itself says, asked behind the proxies: who holds what, and how each job's story went."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from darkroom.contract.job import Job, JobEvent
from darkroom.ledger.redis import RedisLedger
from darkroom.settings import Settings

TERMINAL = {"succeeded", "failed", "blocked", "canceled", "expired"}


@dataclass(frozen=True)
class Story:
    job: Job
    events: tuple[JobEvent, ...]

    @property
    def ends(self) -> list[JobEvent]:
        return [event for event in self.events if event.name in TERMINAL]

    def told(self) -> list[str]:
        """For a person: when, what, and what with it."""
        return [f"{event.at:.3f} {event.name} {dict(event.data)}" for event in self.events]


class Witness:
    """Belongs to the loop it was made on."""

    def __init__(self, settings: Settings) -> None:
        self.ledger = RedisLedger.from_settings(settings)
        self._prefix = f"{{{settings.key_prefix}}}"
        self._client = Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=5, decode_responses=True)

    async def story(self, tenant: str, job_id: str) -> Story:
        job = await self.ledger.get(tenant, job_id)
        return Story(job, tuple(await self.ledger.events(job_id)))

    async def states(self, job_ids: Iterable[str]) -> Mapping[str, tuple[str, str]]:
        """State and worker of jobs by id; nothing at all while the server is away."""
        ids = list(job_ids)
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for job_id in ids:
                    pipe.hmget(f"{self._prefix}:job:{job_id}", "state", "worker")
                found = await pipe.execute()
        except (RedisError, OSError):
            return {}
        return {job_id: (state or "", holder or "") for job_id, (state, holder) in zip(ids, found, strict=True)}

    async def keys(self) -> int:
        """How many keys there are."""
        return int(await self._client.dbsize())

    async def held_by(self, worker: str, job_ids: Iterable[str]) -> list[str]:
        """Which of these jobs a worker holds."""
        found = await self.states(job_ids)
        return [job_id for job_id, (state, holder) in found.items() if state == "running" and holder == worker]

    async def close(self) -> None:
        await self._client.aclose()
        await self.ledger.close()
