"""Deliveries in a dictionary: what `RedisDeliveries` must equal."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from darkroom.contract.job import EventName
from darkroom.contract.webhook import (
    PROGRESS,
    WEBHOOK_EVENTS,
    Attempt,
    Delivery,
    DeliveryState,
    LentDelivery,
    Reason,
    Verdict,
    Webhook,
    WebhookEvent,
    lane_of,
)
from darkroom.errors import NotFound
from darkroom.ledger import cursor as cursors
from darkroom.ledger.deliveries import Backlog, DeliveryPage, Room, Wanted
from darkroom.ledger.record import Record
from darkroom.ledger.rules import Rules, milliseconds


@dataclass
class Kept:
    """A delivery as it is held. `free_at`: when one may take it; `before`: attempts of earlier schedules."""

    id: str
    tenant: str
    job_id: str
    event: WebhookEvent
    webhook: Webhook
    created_ms: int
    due_ms: int
    free_at: int
    trace: str | None = None
    state: DeliveryState = DeliveryState.PENDING
    reason: Reason | None = None
    attempts: int = 0
    before: int = 0
    ended_ms: int | None = None
    body: str | None = None
    log: list[Attempt] = field(default_factory=list)

    @property
    def lane(self) -> str:
        return lane_of(self.webhook.host, self.tenant)

    @property
    def pending(self) -> bool:
        return self.state is DeliveryState.PENDING

    def due(self, at: int) -> None:
        self.state, self.reason, self.ended_ms = DeliveryState.PENDING, None, None
        self.due_ms = self.free_at = at

    def end(self, state: DeliveryState, reason: Reason | None, now: int) -> None:
        self.state, self.reason, self.ended_ms = state, reason, now

    def shown(self) -> Delivery:
        return Delivery(
            id=self.id,
            tenant=self.tenant,
            job_id=self.job_id,
            event=self.event,
            url=self.webhook.url,
            state=self.state,
            reason=self.reason,
            attempts=self.attempts,
            created_at=self.created_ms / 1000,
            due_at=self.due_ms / 1000 if self.pending else None,
            ended_at=None if self.ended_ms is None else self.ended_ms / 1000,
        )

    def lent(self) -> LentDelivery:
        return LentDelivery(
            id=self.id,
            tenant=self.tenant,
            job_id=self.job_id,
            event=self.event,
            url=self.webhook.url,
            base=self.webhook.base,
            lane=self.lane,
            created_at=self.created_ms / 1000,
            number=self.attempts + 1,
            turn=self.attempts - self.before,
            body=self.body,
            trace=self.trace,
        )


class MemoryDeliveries:
    """`now` gives Unix milliseconds. `records` are the ledger's: what was told of one is forgotten with it."""

    def __init__(self, rules: Rules, records: Mapping[str, Record], now: Callable[[], int]) -> None:
        self._rules = rules
        self._records = records
        self._now = now
        self._kept: dict[str, Kept] = {}
        self._disabled: dict[str, dict[str, float]] = {}

    def announce(self, record: Record, name: EventName, now: int) -> None:
        """Note that the job's webhook is to hear of an event; of progress, no more than one at a time."""
        event = next((event for event in WEBHOOK_EVENTS if event == f"generation.{name}"), None)
        if record.webhook is None or event is None or event not in record.webhook.events:
            return
        if event == PROGRESS and record.progress_told in self._kept:
            return
        record.announced += 1
        made = Kept(
            f"msg_{record.id}_{record.announced}", record.tenant, record.id, event, record.webhook, now, now, now
        )
        made.trace = record.trace
        record.progress_told = made.id if event == PROGRESS else record.progress_told
        self._kept[made.id] = made

    def forget(self, now: int) -> None:
        for kept in self._kept.values():
            kept.body = kept.body if kept.job_id in self._records else None
        old = sorted((kept.ended_ms, kept.id) for kept in self._kept.values() if kept.ended_ms is not None)
        for ended_ms, delivery_id in old[: self._rules.sweep]:
            if ended_ms + self._rules.result_ttl_ms <= now:
                del self._kept[delivery_id]

    async def take(self, room: Room, lease: float, busy: Mapping[str, int]) -> list[LentDelivery]:
        now = self._now()
        lanes, tenants = Counter(busy), Counter[str]()
        for lane, count in busy.items():
            tenants[lane.partition(" ")[2]] += count
        lent: list[LentDelivery] = []
        for kept in self._due(now, room.per_lane):
            if len(lent) >= room.free:
                break
            if lanes[kept.lane] >= room.per_lane or tenants[kept.tenant] >= room.per_tenant:
                continue
            if kept.webhook.url in self._disabled.get(kept.tenant, {}):
                self._end(kept, DeliveryState.DEAD, "endpoint_disabled", now)
                continue
            kept.free_at = now + milliseconds(lease)
            lanes[kept.lane] += 1
            tenants[kept.tenant] += 1
            lent.append(kept.lent())
        return lent

    def _due(self, now: int, per_lane: int) -> list[Kept]:
        """Lane after lane, each by its longest due one; of each as many as `take_deliveries.lua` looks at."""
        lanes: dict[str, list[Kept]] = {}
        for kept in sorted(self._kept.values(), key=lambda kept: (kept.free_at, kept.id)):
            if kept.pending and kept.free_at <= now:
                lanes.setdefault(kept.lane, []).append(kept)
        order = sorted(lanes, key=lambda lane: (lanes[lane][0].free_at, lane))
        return [kept for lane in order for kept in lanes[lane][:per_lane]]

    def _end(self, kept: Kept, state: DeliveryState, reason: Reason | None, now: int) -> None:
        kept.end(state, reason, now)
        if kept.event == PROGRESS:
            del self._kept[kept.id]

    async def seal(self, delivery_id: str, body: str) -> str | None:
        kept = self._kept.get(delivery_id)
        if kept is None or kept.job_id not in self._records:
            return None
        kept.body = body if kept.body is None else kept.body
        return kept.body

    async def note(self, delivery_id: str, attempt: Attempt, verdict: Verdict) -> bool:
        now, kept = self._now(), self._kept.get(delivery_id)
        if kept is None or not kept.pending:
            return False
        if kept.attempts >= attempt.number and verdict.state is not DeliveryState.DELIVERED:
            return False
        kept.log = [*kept.log, attempt][-self._rules.attempts_kept :]
        kept.attempts = max(kept.attempts, attempt.number)
        disabled = self._disabled.setdefault(kept.tenant, {})
        if verdict.disable and len(disabled) < self._rules.max_disabled:
            disabled[kept.webhook.url] = now / 1000
        if verdict.state is DeliveryState.PENDING:
            kept.due(now + milliseconds(verdict.delay))
        else:
            self._end(kept, verdict.state, verdict.reason, now)
        return True

    async def drop(self, delivery_id: str) -> bool:
        kept = self._kept.get(delivery_id)
        if kept is None or not kept.pending:
            return False
        self._end(kept, DeliveryState.DEAD, "record_gone", self._now())
        return True

    async def list(self, tenant: str, wanted: Wanted, *, limit: int, cursor: str | None = None) -> DeliveryPage:
        at, seen = cursors.delivery_cursor(cursor) if cursor is not None else ("", "")
        own = [kept for kept in self._kept.values() if kept.tenant == tenant and _wanted(kept, wanted)]
        own.sort(key=lambda kept: (kept.created_ms, kept.id), reverse=True)
        rest = [kept for kept in own if not at or (kept.created_ms, kept.id) < (int(at), seen)]
        page = rest[:limit]
        more = page and len(rest) > len(page)
        return DeliveryPage(
            deliveries=tuple(kept.shown() for kept in page),
            cursor=f"{page[-1].created_ms}.{page[-1].id}" if more else None,
        )

    async def get(self, tenant: str, delivery_id: str) -> tuple[Delivery, tuple[Attempt, ...]]:
        kept = self._kept.get(delivery_id)
        if kept is None or kept.tenant != tenant:
            raise NotFound("no such delivery")
        return kept.shown(), tuple(kept.log)

    async def replay(self, tenant: str, delivery_ids: Sequence[str]) -> int:
        own = [kept for kept in map(self._kept.get, delivery_ids) if kept and kept.tenant == tenant]
        for kept in own:
            kept.due(self._now())
            kept.before = kept.attempts
        return len(own)

    async def disabled(self, tenant: str) -> Mapping[str, float]:
        return dict(self._disabled.get(tenant, {}))

    async def enable(self, tenant: str, url: str) -> bool:
        return self._disabled.get(tenant, {}).pop(url, None) is not None

    async def backlog(self) -> Backlog:
        pending = [kept for kept in self._kept.values() if kept.pending]
        overdue = max((self._now() - kept.free_at for kept in pending), default=0)
        return Backlog(pending=len(pending), overdue=max(0, overdue) / 1000)


def _wanted(kept: Kept, wanted: Wanted) -> bool:
    return (
        (not wanted.states or kept.state in wanted.states)
        and (wanted.job_id is None or kept.job_id == wanted.job_id)
        and (wanted.after is None or kept.created_ms >= milliseconds(wanted.after))
        and (wanted.before is None or kept.created_ms < milliseconds(wanted.before))
    )
