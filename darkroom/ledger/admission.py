"""Who is let in, as `MemoryLedger` decides it; its Lua twin is in `scripts/submit.lua`."""

import math
from collections.abc import Collection

from darkroom.ledger.lines import Lines
from darkroom.ledger.outlook import Foresight
from darkroom.ledger.record import Record
from darkroom.ledger.refusals import refuse_unless_taken
from darkroom.ledger.rules import Rules, milliseconds


class Admission:
    """Counts what waits, in jobs and in the device time they are expected to take."""

    def __init__(self, lines: Lines, rules: Rules, foresight: Foresight) -> None:
        self._lines = lines
        self._rules = rules
        self._foresight = foresight

    def admit(self, record: Record, now: int) -> None:
        """Raises: TooLarge, QueueFull, TenantLimit, TooLate."""
        if record.expected_ms > self._rules.max_job_ms:
            refuse_unless_taken("too_large", record.expected_ms)
        waiting, quota = self._lines.waiting(), record.quota
        before = self._foresight.before(record, now)
        workers = max(1, before.workers)
        rules = self._rules
        _refuse_beyond("queue_full", record, waiting, workers, rules.max_queued, rules.max_queued_ms)
        own = [other for other in waiting if other.tenant == record.tenant]
        most = quota.max_queued or rules.max_queued_per_tenant
        most_ms = None if quota.max_queued_seconds is None else quota.max_queued_seconds * 1000
        _refuse_beyond("tenant_limit", record, own, workers, most, most_ms)
        deadline, wait = record.plan.deadline_at, before.wait_seconds
        if deadline is not None and wait is not None:
            late = now + milliseconds(wait) - milliseconds(deadline)
            if late > 0:
                refuse_unless_taken("too_late", late)


def _refuse_beyond(
    word: str, record: Record, waiting: Collection[Record], workers: int, most: int, most_ms: float | None
) -> None:
    """One job alone is never too much."""
    backlog = sum(other.expected_ms for other in waiting)
    if len(waiting) >= most:
        refuse_unless_taken(word, math.ceil(backlog / len(waiting) / workers))
    if most_ms is not None and waiting and backlog + record.expected_ms > most_ms:
        refuse_unless_taken(word, math.ceil((backlog + record.expected_ms - most_ms) / workers))
