"""The ledger in Redis or Valkey. Every move is one Lua script, so no crash falls between its parts.

The scripts stand in `scripts/`; the keys are listed at the top of `scripts/lib.lua`.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from redis.client import NEVER_DECODE

from darkroom.breaker import Breaker
from darkroom.contract.job import Job, JobEvent, Progress, picture_keys
from darkroom.contract.plan import GenerationPlan
from darkroom.errors import NotFound, StaleAttempt
from darkroom.ledger import cursor as cursors
from darkroom.ledger import lua
from darkroom.ledger.bell import LOOK_SECONDS, NewsBell
from darkroom.ledger.connection import Connection
from darkroom.ledger.fields import (
    counts_of,
    dump_artifacts,
    dump_json,
    dump_plan,
    dump_receipt,
    pairs,
    read_claims,
    read_event,
    read_job,
    read_outlook,
    read_workload,
)
from darkroom.ledger.previews import check_preview
from darkroom.ledger.protocol import (
    Claim,
    JobPage,
    Outcome,
    Outlook,
    Reaped,
    Renewal,
    Submission,
    Submitted,
    Workload,
)
from darkroom.ledger.redis_deliveries import RedisDeliveries
from darkroom.ledger.redis_upkeep import RedisUpkeep
from darkroom.ledger.refusals import refuse_unless_taken
from darkroom.ledger.rules import Rules, milliseconds
from darkroom.ledger.transitions import ending_told, finishing_move
from darkroom.ledger.untold import read_untold
from darkroom.settings import Settings


class RedisLedger(RedisUpkeep):
    """A ledger shared by all processes that use the same server and prefix. See `Connection` for what it takes."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "darkroom",
        patience: float = 2.0,
        rules: Rules | None = None,
        clock: str | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.rules = rules or Rules()
        self._server = Connection(url, prefix=prefix, patience=patience, rules=self.rules, clock=clock, breaker=breaker)
        self._server.register(lua.SCRIPTS)
        super().__init__(self._server, self.rules)
        self.deliveries = RedisDeliveries(self._server)
        self._bell = NewsBell(self._client, self._key("bell"))

    @classmethod
    def from_settings(cls, settings: Settings, breaker: Breaker | None = None) -> "RedisLedger":
        return cls(
            settings.redis_url.get_secret_value(),
            prefix=settings.key_prefix,
            patience=settings.redis_timeout,
            rules=Rules.from_settings(settings),
            breaker=breaker,
        )

    # --- what callers do -------------------------------------------------------------------------------------------

    async def submit(self, submission: Submission) -> Submitted:
        plan = submission.plan
        word, *answer = await self._run(
            "submit",
            submission.job_id,
            submission.tenant,
            plan.model,
            plan.priority,
            dump_plan(plan),
            repr(plan.predicted_seconds),
            "" if plan.deadline_at is None else milliseconds(plan.deadline_at),
            _digest(submission.tenant, submission.idempotency_key),
            submission.body_hash,
            " ".join(picture_keys(submission.job_id, plan)),
            "1" if isinstance(plan, GenerationPlan) else "0",
            submission.webhook.model_dump_json() if submission.webhook else "",
            submission.quota.model_dump_json(exclude_none=True),
            submission.trace or "",
        )
        return _submitted(word, *answer)

    async def replay(self, tenant: str, key: str, body_hash: str) -> Submitted | None:
        answer = await self._run("replay", _digest(tenant, key), body_hash)
        return _submitted(*answer) if answer else None

    async def cancel(self, tenant: str, job_id: str) -> Job:
        fields = await self._run("cancel", job_id, tenant)
        if not fields:
            raise _not_found()
        return read_job(pairs(fields))

    async def get(self, tenant: str, job_id: str) -> Job:
        fields = await self._ask(self._client.hgetall(self._key("job", job_id)))
        if fields.get("tenant") != tenant:
            raise _not_found()
        return read_job(fields)

    async def preview(self, tenant: str, job_id: str, index: int) -> bytes:
        if await self._ask(self._client.hget(self._key("job", job_id), "tenant")) != tenant:
            raise _not_found()
        # A picture is no text, which every other reply is decoded to.
        asked = self._client.execute_command(  # type: ignore[no-untyped-call]
            "HGET", self._key("previews", job_id), index, **{NEVER_DECODE: True}
        )
        frame: bytes | None = await self._ask(asked)
        if frame is None:
            raise NotFound("no such preview")
        return frame

    async def foresee(self, job_ids: Sequence[str]) -> Mapping[str, Outlook]:
        told = await self._run("foresee", *job_ids)
        return {job_id: read_outlook(row) for job_id, row in zip(job_ids, told, strict=True) if row}

    async def jobs(self, tenant: str, *, limit: int, cursor: str | None = None, dead: bool = False) -> JobPage:
        newest = f"({cursors.job_cursor(cursor)}" if cursor is not None else "+"
        index = self._key("dead" if dead else "jobs", tenant)
        ids = await self._ask(self._client.zrevrangebylex(index, newest, "-", 0, limit + 1))
        page = ids[:limit]
        records = await self._records(page)
        return JobPage(
            jobs=tuple(read_job(fields) for fields in records if fields),
            cursor=page[-1] if page and len(ids) > limit else None,
        )

    async def _records(self, job_ids: Sequence[str]) -> list[dict[str, str]]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.hgetall(self._key("job", job_id))
            records: list[dict[str, str]] = await self._ask(pipeline.execute())
            return records

    async def events(self, job_id: str, *, after: str = "0", wait: float = 0.0) -> list[JobEvent]:
        cursors.event_id(after)
        if wait <= 0:
            return await self._history(job_id, after)
        until = monotonic() + wait
        with self._bell.waiting_for(job_id) as bell:
            while True:
                bell.clear()
                news = await self._history(job_id, after)
                left = until - monotonic()
                if news or left <= 0:
                    return news
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), min(left, LOOK_SECONDS))

    async def _history(self, job_id: str, after: str) -> list[JobEvent]:
        rows = await self._ask(self._client.xrange(self._key("events", job_id), min=f"({after}"))
        return [read_event(job_id, event_id, fields) for event_id, fields in rows]

    # --- what workers do -------------------------------------------------------------------------------------------

    async def claim(self, worker: str, models: Sequence[str], room: int) -> list[Claim]:
        return read_claims(await self._run("claim", worker, room, *models))

    async def renew(self, worker: str, attempts: Mapping[str, int]) -> Renewal:
        words = await self._run("renew", *(part for pair in attempts.items() for part in pair))
        told = dict(zip(attempts, words, strict=True))
        return Renewal(
            lost=frozenset(job_id for job_id, word in told.items() if word == "lost"),
            canceled=frozenset(job_id for job_id, word in told.items() if word == "canceled"),
        )

    async def report(self, *news: tuple[str, int, Progress]) -> None:
        # What is left out, gateways of an older version can read.
        told = ((job_id, attempt, told.model_dump_json(exclude_defaults=True)) for job_id, attempt, told in news)
        await self._run("report", *(part for each in told for part in each))

    async def show_preview(self, job_id: str, attempt: int, index: int, frame: bytes) -> None:
        check_preview(index, frame)
        await self._run("show_preview", job_id, attempt, index, frame)

    async def finish(self, job_id: str, attempt: int, outcome: Outcome) -> Job:
        fields = await self._run(
            "finish",
            job_id,
            attempt,
            finishing_move(outcome.state).value,
            dump_artifacts(outcome.artifacts),
            dump_receipt(outcome.receipt) if outcome.receipt else "",
            outcome.failure.model_dump_json() if outcome.failure else "",
            repr(outcome.device_seconds),
            dump_json(ending_told(outcome)),
        )
        if not fields:
            raise StaleAttempt(f"attempt {attempt} no longer holds this job")
        return read_job(pairs(fields))

    async def release(self, job_id: str, attempt: int) -> None:
        await self._run("release", job_id, attempt)

    async def abandon(self, worker: str, how: str) -> tuple[str, ...]:
        return tuple(await self._run("abandon", worker, how))

    async def attend(self, worker: str, models: Sequence[str]) -> Mapping[str, int]:
        return dict(zip(models, await self._run("attend", worker, *models), strict=True))

    async def reap(self, *, counts: bool = True) -> Reaped:
        """After an outage every lease looks as if its worker had died, so leases are left alone for one more term; not
        those of workers that were seen to die."""
        steady = self._server.away_at is None or monotonic() - self._server.away_at > self.rules.lease_ms / 1000
        answer = await self._run("reap", "1" if steady else "0", "1" if counts else "0")
        requeued, ended, *counted = map(tuple, answer)
        waiting, untold = (counts_of(pairs(each)) for each in counted)
        return Reaped(requeued=requeued, ended=ended, waiting=waiting, untold=read_untold(untold))

    # --- what the service does -------------------------------------------------------------------------------------

    async def workloads(self) -> Mapping[str, Workload]:
        return {model: read_workload(row) for model, *row in await self._run("workloads")}

    async def close(self) -> None:
        await self._bell.close()
        await self._server.close()


def _submitted(word: str, told: Any = 0, fields: Sequence[str] = ()) -> Submitted:
    if not isinstance(told, list):
        refuse_unless_taken(word, told)
    outlook = read_outlook(told) if told else None
    return Submitted(job=read_job(pairs(fields)), replayed=word == "replayed", outlook=outlook)


def _digest(tenant: str, key: str | None) -> str:
    """An idempotency key as a name of fixed length that cannot run into another tenant's."""
    if key is None:
        return ""
    both = f"{len(tenant)}:{tenant}:{key}"
    return hashlib.sha256(both.encode()).hexdigest()


def _not_found() -> NotFound:
    return NotFound("no such generation")
