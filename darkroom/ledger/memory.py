"""The ledger in dictionaries: what `RedisLedger` must equal, and what tests of everything else run on.

It looks things up by scanning, and keeps no index that could disagree with the records; that makes it the oracle.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from darkroom.contract.job import EventName, Job, JobEvent, JobState, Progress
from darkroom.contract.plan import GenerationPlan
from darkroom.errors import NotFound, StaleAttempt
from darkroom.ledger import cursor as cursors
from darkroom.ledger.admission import Admission
from darkroom.ledger.first_use import FirstUses
from darkroom.ledger.lines import Lines
from darkroom.ledger.memory_deliveries import MemoryDeliveries
from darkroom.ledger.outlook import Foresight
from darkroom.ledger.pace import Pace
from darkroom.ledger.previews import Previews, check_preview
from darkroom.ledger.protocol import (
    Claim,
    JobPage,
    JsonObject,
    Outcome,
    Outlook,
    Reaped,
    Renewal,
    Submission,
    Submitted,
    Workload,
)
from darkroom.ledger.quarantine import Quarantine, note_loss
from darkroom.ledger.record import Record
from darkroom.ledger.refusals import refuse_unless_taken
from darkroom.ledger.rules import Rules, exhausted, milliseconds
from darkroom.ledger.transitions import TRANSITIONS, Move, ending_told, finishing_move
from darkroom.ledger.upkeep import Upkeep


class MemoryLedger(Upkeep):
    """A ledger for one process and one event loop. `clock` gives Unix seconds."""

    def __init__(self, rules: Rules | None = None, clock: Callable[[], float] = time.time) -> None:
        self.rules = rules or Rules()
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._first_uses = FirstUses(self.rules.idempotency_ttl_ms)
        super().__init__(Lines(self._records, self.rules), self.rules)
        self._pace = Pace()
        self._foresight = Foresight(self.lines, self.rules, self._workers_of)
        self._admission = Admission(self.lines, self.rules, self._foresight)
        self._quarantine = Quarantine(self.rules)
        self.deliveries = MemoryDeliveries(self.rules, self._records, self._now)
        self._previews = Previews(self.rules.preview_ttl_ms)

    async def submit(self, submission: Submission) -> Submitted:
        now = self._now()
        first = self._first(submission.tenant, submission.idempotency_key, submission.body_hash, now)
        if first or (first := self._records.get(submission.job_id)):
            return self._replayed(first, now)
        record = Record(submission.job_id, submission.tenant, submission.plan, 0, now)
        record.webhook, record.quota, record.trace = submission.webhook, submission.quota, submission.trace
        record.expected_ms = self._pace.expected_ms(record.plan.model, record.plan.predicted_seconds)
        self._admission.admit(record, now)
        self.lines.quotas[record.tenant] = record.quota
        record.place = self.lines.next_place()
        self.lines.join(record)
        self._records[record.id] = record
        self._first_uses.remember(submission, now)
        outlook = self._foresight.of(record, now)
        self._tell(record, "queued", now, outlook.model_dump(include={"position", "ahead_seconds"}))
        return Submitted(job=record.job(), replayed=False, outlook=outlook)

    async def replay(self, tenant: str, key: str, body_hash: str) -> Submitted | None:
        first = self._first(tenant, key, body_hash, self._now())
        return self._replayed(first, self._now()) if first else None

    def _replayed(self, first: Record, now: int) -> Submitted:
        outlook = self._foresight.of(first, now) if first.state is JobState.QUEUED else None
        return Submitted(job=first.job(), replayed=True, outlook=outlook)

    def _first(self, tenant: str, key: str | None, body_hash: str, now: int) -> Record | None:
        first = self._first_uses.find(tenant, key, now)
        if first and first.job_id in self._records:
            if first.body_hash != body_hash:
                refuse_unless_taken("mismatch")
            return self._records[first.job_id]
        return None

    async def cancel(self, tenant: str, job_id: str) -> Job:
        record = self._of(tenant, job_id)
        self._move(record, Move.CANCEL, self._now())
        return record.job()

    async def get(self, tenant: str, job_id: str) -> Job:
        return self._of(tenant, job_id).job()

    async def foresee(self, job_ids: Sequence[str]) -> Mapping[str, Outlook]:
        now, known = self._now(), (self._records.get(job_id) for job_id in job_ids)
        return {r.id: self._foresight.of(r, now) for r in known if r and r.state is JobState.QUEUED}

    async def jobs(self, tenant: str, *, limit: int, cursor: str | None = None, dead: bool = False) -> JobPage:
        before = cursors.job_cursor(cursor) if cursor is not None else None
        own = (r for r in self._records.values() if r.tenant == tenant and isinstance(r.plan, GenerationPlan))
        ids = sorted((r.id for r in own if r.dead or not dead), reverse=True)
        rest = [job_id for job_id in ids if before is None or job_id < before]
        page = rest[:limit]
        return JobPage(
            jobs=tuple(self._records[job_id].job() for job_id in page),
            cursor=page[-1] if len(rest) > len(page) and page else None,
        )

    async def events(self, job_id: str, *, after: str = "0", wait: float = 0.0) -> list[JobEvent]:
        return await self.news.of(self._records.get(job_id), after, wait)

    async def claim(self, worker: str, models: Sequence[str], room: int) -> list[Claim]:
        now = self._now()
        self.lines.wake(now)
        lent: list[Claim] = []
        expired = 0
        if self._quarantine.stops(worker, self._held(worker), now):
            return lent
        while len(lent) < room and expired < self.rules.sweep:
            held = self._held(worker)
            record = self.lines.fairest(models, now, self._quarantine.taken(worker, now) if held else ())
            if record is None:
                break
            if record.overdue(now):
                expired += 1
                self._move(record, Move.EXPIRE, now)
                continue
            if record.alone and held:
                self._quarantine.make_room(record.plan.model, worker, now)
                break
            lent.append(self._lend(record, worker, now))
            if record.alone:
                break
        return lent

    def _held(self, worker: str) -> list[Record]:
        return [r for r in self._records.values() if r.state is JobState.RUNNING and r.worker == worker]

    def _lend(self, record: Record, worker: str, now: int) -> Claim:
        self.lines.take_turn()
        if record.alone:
            self._quarantine.began(record.plan.model)
        record.attempt += 1
        record.worker, record.started_ms = worker, now
        record.lease_until_ms = now + self.rules.lease_ms
        self.lines.settle(record, record.expected_ms / 1000, now)
        self._move(record, Move.CLAIM, now, data={"attempt": record.attempt - record.handed_back})
        return Claim(
            job_id=record.id,
            tenant=record.tenant,
            attempt=record.attempt,
            plan=record.plan,
            lease_until=record.lease_until_ms / 1000,
            waited=(now - record.created_ms) / 1000,
            trace=record.trace,
        )

    async def renew(self, worker: str, attempts: Mapping[str, int]) -> Renewal:
        now = self._now()
        lost, canceled = set(), set()
        for job_id, attempt in attempts.items():
            record = self._records.get(job_id)
            if record and record.held_by(attempt):
                record.lease_until_ms = now + self.rules.lease_ms
                record.fate = None
            elif record and record.state is JobState.CANCELED and record.attempt == attempt:
                canceled.add(job_id)
            else:
                lost.add(job_id)
        return Renewal(lost=frozenset(lost), canceled=frozenset(canceled))

    async def report(self, *news: tuple[str, int, Progress]) -> None:
        for job_id, attempt, progress in news:
            record = self._records.get(job_id)
            if record and record.held_by(attempt):
                record.progress = progress
                self._tell(record, "progress", self._now(), progress.model_dump(exclude_defaults=True))

    async def show_preview(self, job_id: str, attempt: int, index: int, frame: bytes) -> None:
        check_preview(index, frame)
        record = self._records.get(job_id)
        if record and record.held_by(attempt):
            self._previews.show(job_id, index, frame, self._now())

    async def preview(self, tenant: str, job_id: str, index: int) -> bytes:
        frame = self._previews.latest(self._of(tenant, job_id).id, index, self._now())
        if frame is None:
            raise NotFound("no such preview")
        return frame

    async def finish(self, job_id: str, attempt: int, outcome: Outcome) -> Job:
        move = finishing_move(outcome.state)
        record = self._records.get(job_id)
        if record and record.ended_by(attempt, outcome):
            return record.job()
        if record is None or not record.held_by(attempt):
            raise StaleAttempt(f"attempt {attempt} no longer holds this job")
        now = self._now()
        record.artifacts, record.receipt, record.failure = outcome.artifacts, outcome.receipt, outcome.failure
        self.lines.settle(record, outcome.device_seconds, now)
        if outcome.state is JobState.SUCCEEDED:
            self._pace.learn(record.plan.model, record.plan.predicted_seconds, outcome.device_seconds)
        self._move(record, move, now, data=ending_told(outcome))
        if move is Move.BLOCK and record.attempt > 1:
            self._leave_pictures(record, now)
        return record.job()

    async def release(self, job_id: str, attempt: int) -> None:
        record = self._records.get(job_id)
        if record and record.held_by(attempt):
            record.handed_back += 1
            self._put_back(record, Move.RELEASE, self._now(), "released")

    async def abandon(self, worker: str, how: str) -> tuple[str, ...]:
        self._attending.pop(worker, None)
        self._quarantine.forget(worker)
        held = self._held(worker)
        for record in held:
            record.lease_until_ms, record.fate = 0, how
        return tuple(sorted(record.id for record in held))

    async def workloads(self) -> Mapping[str, Workload]:
        return self.lines.workloads(self._now())

    async def reap(self, *, counts: bool = True) -> Reaped:
        now, sweep = self._now(), self.rules.sweep
        self._forget(now)
        self.lines.wake(now)
        self.deliveries.forget(now)
        overdue = [record for record in self.lines.waiting() if record.overdue(now)]
        expired = sorted(overdue, key=lambda r: (r.plan.deadline_at, r.id))[:sweep]
        for record in expired:
            self._move(record, Move.EXPIRE, now)
        lost = [r for r in self._records.values() if r.state is JobState.RUNNING and r.lease_until_ms <= now]
        kept, ended = self._recover(sorted(lost, key=lambda r: (r.lease_until_ms, r.id))[:sweep], now)
        ended = [record.id for record in expired] + ended
        waiting, untold = await self.waiting(), self._untold.take() if counts else ()
        return Reaped(requeued=tuple(kept), ended=tuple(ended), waiting=waiting, untold=untold)

    def _forget(self, now: int) -> None:
        oldest = sorted((r.finished_ms, r.id) for r in self._records.values() if r.finished_ms is not None)
        for finished_ms, job_id in oldest[: self.rules.sweep]:
            if finished_ms + self.rules.result_ttl_ms <= now:
                record = self._records.pop(job_id)
                if record.attempt:
                    self._leave_pictures(record, now)

    def _recover(self, lost: Iterable[Record], now: int) -> tuple[list[str], list[str]]:
        requeued, ended = [], []
        for record in lost:
            loss = note_loss(record, self.rules, now)
            if loss.attempt >= self.rules.max_attempts:
                record.failure = exhausted(loss.ended)
                self._move(record, Move.EXHAUST, now, data=record.failure.model_dump())
                ended.append(record.id)
            else:
                record.delayed = record.not_before_ms > now
                self._put_back(record, Move.LOSE, now, "worker_died" if loss.killed else "lease_lost")
                requeued.append(record.id)
        return requeued, ended

    def _put_back(self, record: Record, move: Move, now: int, reason: str) -> None:
        self.lines.settle(record, 0.0, now)
        record.progress = record.started_ms = record.fate = None
        self._move(record, move, now, data={"reason": reason})

    async def close(self) -> None:
        self.news.wake()

    def _move(self, record: Record, move: Move, now: int, data: JsonObject | None = None) -> None:
        step = TRANSITIONS.get((record.state, move))
        if step is None:
            return
        record.state = step.state
        self._previews.forget(record.id)
        if step.state.terminal:
            record.finished_ms = now
            self._untold.note(move, step.state.value, record.plan.model)
        self._tell(record, step.event, now, data or {})

    def _tell(self, record: Record, name: EventName, now: int, data: JsonObject) -> None:
        self.news.emit(record, name, now, data)
        self.deliveries.announce(record, name, now)

    def _of(self, tenant: str, job_id: str) -> Record:
        record = self._records.get(job_id)
        if record is None or record.tenant != tenant:
            raise NotFound("no such generation")
        return record

    def _now(self) -> int:
        return milliseconds(self._clock())
