"""The ledger in dictionaries: what `RedisLedger` must equal, and what tests of everything else run on.

It looks things up by scanning, and keeps no index that could disagree with the records; that makes it the oracle.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from darkroom.contract.job import EventName, Job, JobEvent, JobState, Progress
from darkroom.errors import NotFound, StaleAttempt
from darkroom.ledger import cursor as cursors
from darkroom.ledger.fairness import Account
from darkroom.ledger.first_use import FirstUses
from darkroom.ledger.protocol import (
    Claim,
    JobPage,
    JsonObject,
    LedgerHealth,
    Outcome,
    Reaped,
    Renewal,
    Submission,
    Submitted,
)
from darkroom.ledger.record import Record
from darkroom.ledger.refusals import refuse_unless_taken
from darkroom.ledger.rules import EXHAUSTED, Rules, milliseconds
from darkroom.ledger.transitions import TRANSITIONS, Move, ending_told, finishing_move


class MemoryLedger:
    """A ledger for one process and one event loop. `clock` gives Unix seconds."""

    def __init__(self, rules: Rules | None = None, clock: Callable[[], float] = time.time) -> None:
        self.rules = rules or Rules()
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._first_uses = FirstUses(self.rules.idempotency_ttl_ms)
        self.accounts: defaultdict[tuple[str, str, str], Account] = defaultdict(Account)
        self._outbox: dict[str, JsonObject] = {}
        self._waiters: set[asyncio.Event] = set()
        self._places = self._turns = self._events = 0

    async def submit(self, submission: Submission) -> Submitted:
        now = self._now()
        if first := self._replay(submission, now):
            return Submitted(job=first.job(), replayed=True, position=self._position(first) or 0)
        self._admit(submission.tenant)
        self._places += 1
        record = Record(submission.job_id, submission.tenant, submission.plan, self._places, now)
        self._join_line(record, now)
        self._records[record.id] = record
        self._first_uses.remember(submission, now)
        self._emit(record, "queued", now, {})
        return Submitted(job=record.job(), replayed=False, position=self._position(record) or 0)

    def _replay(self, submission: Submission, now: int) -> Record | None:
        first = self._first_uses.find(submission, now)
        if first and first.job_id in self._records:
            if first.body_hash != submission.body_hash:
                refuse_unless_taken("mismatch")
            return self._records[first.job_id]
        return self._records.get(submission.job_id)

    def _admit(self, tenant: str) -> None:
        waiting = self._in_line()
        if len(waiting) >= self.rules.max_queued:
            refuse_unless_taken("queue_full")
        if sum(record.tenant == tenant for record in waiting) >= self.rules.max_queued_per_tenant:
            refuse_unless_taken("tenant_limit")

    async def cancel(self, tenant: str, job_id: str) -> Job:
        record = self._of(tenant, job_id)
        self._move(record, Move.CANCEL, self._now())
        return record.job()

    async def get(self, tenant: str, job_id: str) -> Job:
        return self._of(tenant, job_id).job()

    async def position(self, job_id: str) -> int | None:
        return self._position(self._records[job_id]) if job_id in self._records else None

    async def jobs(self, tenant: str, *, limit: int, cursor: str | None = None) -> JobPage:
        before = cursors.job_cursor(cursor) if cursor is not None else None
        ids = sorted((r.id for r in self._records.values() if r.tenant == tenant), reverse=True)
        rest = [job_id for job_id in ids if before is None or job_id < before]
        page = rest[:limit]
        return JobPage(
            jobs=tuple(self._records[job_id].job() for job_id in page),
            cursor=page[-1] if len(rest) > len(page) and page else None,
        )

    async def events(self, job_id: str, *, after: str = "0", wait: float = 0.0) -> list[JobEvent]:
        last = cursors.event_id(after)
        bell = asyncio.Event()
        self._waiters.add(bell)
        try:
            async with asyncio.timeout(max(wait, 0)):
                while not (news := self._events_after(job_id, last)):
                    bell.clear()
                    await bell.wait()
                return news
        except TimeoutError:
            return self._events_after(job_id, last)
        finally:
            self._waiters.discard(bell)

    def _events_after(self, job_id: str, last: tuple[int, int]) -> list[JobEvent]:
        record = self._records.get(job_id)
        return [event for event in record.events if cursors.event_id(event.id) > last] if record else []

    async def claim(self, worker: str, models: Sequence[str], room: int) -> list[Claim]:
        now = self._now()
        lent: list[Claim] = []
        expired = 0
        while len(lent) < room and expired < self.rules.sweep and (record := self._fairest(models, now)):
            if record.overdue(now):
                expired += 1
                self._move(record, Move.EXPIRE, now)
            else:
                self._turns += 1
                lent.append(self._lend(record, worker, now))
        return lent

    def _fairest(self, models: Sequence[str], now: int) -> Record | None:
        bulk_first = (self._turns + 1) % self.rules.bulk_every == 0
        for priority in ("bulk", "interactive") if bulk_first else ("interactive", "bulk"):
            desks = [(model, priority) for model in models]
            waiting = [record for record in self._in_line() if record.desk in desks]
            if waiting:
                return min(waiting, key=lambda record: (self._used(record, now), record.place))
        return None

    def _lend(self, record: Record, worker: str, now: int) -> Claim:
        record.attempt += 1
        record.worker = worker
        record.started_ms = now
        record.lease_until_ms = now + self.rules.lease_ms
        self._settle(record, record.plan.predicted_seconds, now)
        self._move(record, Move.CLAIM, now, data={"attempt": record.attempt - record.handed_back})
        return Claim(
            job_id=record.id,
            tenant=record.tenant,
            attempt=record.attempt,
            plan=record.plan,
            lease_until=record.lease_until_ms / 1000,
        )

    async def renew(self, worker: str, attempts: Mapping[str, int]) -> Renewal:
        now = self._now()
        lost, canceled = set(), set()
        for job_id, attempt in attempts.items():
            record = self._records.get(job_id)
            if record and record.held_by(attempt):
                record.lease_until_ms = now + self.rules.lease_ms
            elif record and record.state is JobState.CANCELED and record.attempt == attempt:
                canceled.add(job_id)
            else:
                lost.add(job_id)
        return Renewal(lost=frozenset(lost), canceled=frozenset(canceled))

    async def report(self, job_id: str, attempt: int, progress: Progress) -> None:
        record = self._records.get(job_id)
        if record and record.held_by(attempt):
            record.progress = progress
            self._emit(record, "progress", self._now(), progress.model_dump())

    async def finish(self, job_id: str, attempt: int, outcome: Outcome) -> Job:
        move = finishing_move(outcome.state)
        record = self._records.get(job_id)
        if record is None or not record.held_by(attempt):
            raise StaleAttempt(f"attempt {attempt} no longer holds this job")
        now = self._now()
        record.artifacts, record.receipt, record.failure = outcome.artifacts, outcome.receipt, outcome.failure
        self._settle(record, outcome.device_seconds, now)
        self._move(record, move, now, data=ending_told(outcome))
        return record.job()

    async def release(self, job_id: str, attempt: int) -> None:
        record = self._records.get(job_id)
        if record and record.held_by(attempt):
            record.handed_back += 1
            self._put_back(record, Move.RELEASE, self._now(), "released")

    async def abandon(self, worker: str) -> tuple[str, ...]:
        now = self._now()
        held = [r for r in self._records.values() if r.state is JobState.RUNNING and r.worker == worker]
        for record in held:
            record.lease_until_ms = now
        return tuple(sorted(record.id for record in held))

    async def reap(self) -> Reaped:
        now, sweep = self._now(), self.rules.sweep
        self._forget(now)
        overdue = [record for record in self._in_line() if record.overdue(now)]
        expired = sorted(overdue, key=lambda r: (r.plan.deadline_at, r.id))[:sweep]
        for record in expired:
            self._move(record, Move.EXPIRE, now)
        lost = [r for r in self._records.values() if r.state is JobState.RUNNING and r.lease_until_ms <= now]
        kept, ended = self._recover(sorted(lost, key=lambda r: (r.lease_until_ms, r.id))[:sweep], now)
        return Reaped(
            requeued=tuple(kept),
            ended=tuple([record.id for record in expired] + ended),
            waiting=await self.waiting(),
        )

    def _forget(self, now: int) -> None:
        oldest = sorted((r.finished_ms, r.id) for r in self._records.values() if r.finished_ms is not None)
        for finished_ms, job_id in oldest[: self.rules.sweep]:
            if finished_ms + self.rules.result_ttl_ms <= now:
                del self._records[job_id]

    def _recover(self, lost: Iterable[Record], now: int) -> tuple[list[str], list[str]]:
        requeued, ended = [], []
        for record in lost:
            if record.attempt - record.handed_back >= self.rules.max_attempts:
                record.failure = EXHAUSTED
                self._move(record, Move.EXHAUST, now, data=EXHAUSTED.model_dump())
                ended.append(record.id)
            else:
                self._put_back(record, Move.LOSE, now, "lease_lost")
                requeued.append(record.id)
        return requeued, ended

    def _put_back(self, record: Record, move: Move, now: int, reason: str) -> None:
        self._settle(record, 0.0, now)
        record.progress = record.started_ms = None
        self._move(record, move, now, data={"reason": reason})

    async def waiting(self) -> Mapping[str, int]:
        return dict(Counter(record.plan.model for record in self._in_line()))

    async def outbox(self, *, after: str = "0", limit: int = 100) -> list[tuple[str, JsonObject]]:
        last = cursors.event_id(after)
        return [(row, what) for row, what in self._outbox.items() if cursors.event_id(row) > last][:limit]

    async def outbox_done(self, row: str) -> None:
        self._outbox.pop(row, None)

    async def check(self) -> LedgerHealth:
        return LedgerHealth(problems=(), warnings=("the ledger is kept in memory and ends with this process",))

    async def close(self) -> None:
        for bell in self._waiters:
            bell.set()

    def _move(self, record: Record, move: Move, now: int, data: JsonObject | None = None) -> None:
        step = TRANSITIONS.get((record.state, move))
        if step is None:
            return
        record.state = step.state
        if step.state.terminal:
            record.finished_ms = now
            row = {"job_id": record.id, "tenant": record.tenant, "state": step.state.value}
            self._outbox[self._next_id(now)] = row
        self._emit(record, step.event, now, data or {})

    def _emit(self, record: Record, name: EventName, now: int, data: JsonObject) -> None:
        record.tell(self._next_id(now), name, now, data)
        for bell in self._waiters:
            bell.set()

    def _settle(self, record: Record, seconds: float, now: int) -> None:
        """Let the tenant's account hold `seconds` for this job instead of what it held so far."""
        self.accounts[(*record.desk, record.tenant)].charge(seconds - record.charge, now, self.rules.half_life_ms)
        record.charge = seconds

    def _join_line(self, record: Record, now: int) -> None:
        here = [other for other in self._in_line() if other.desk == record.desk]
        if here and all(other.tenant != record.tenant for other in here):
            floor = min(self._used(other, now) for other in here)
            self.accounts[(*record.desk, record.tenant)].raise_to(floor, now, self.rules.half_life_ms)

    def _used(self, record: Record, now: int) -> float:
        return self.accounts[(*record.desk, record.tenant)].used(now, self.rules.half_life_ms)

    def _in_line(self) -> list[Record]:
        return [record for record in self._records.values() if record.state is JobState.QUEUED]

    def _position(self, record: Record) -> int | None:
        if record.state is not JobState.QUEUED:
            return None
        line = [r for r in self._in_line() if r.desk == record.desk and r.tenant == record.tenant]
        return sum(other.place < record.place for other in line)

    def _of(self, tenant: str, job_id: str) -> Record:
        record = self._records.get(job_id)
        if record is None or record.tenant != tenant:
            raise NotFound("no such generation")
        return record

    def _next_id(self, now: int) -> str:
        self._events += 1
        return f"{now}-{self._events}"

    def _now(self) -> int:
        return milliseconds(self._clock())
