"""What a waiting job may expect, as `MemoryLedger` sees it; its Lua twin is `scripts/outlook.lua`.

An estimate: of its own line the share that stands before it, as if all took alike; of every other tenant's, what
fairness would serve first; of the other priority, what its turns are worth. Device seconds are as predicted, corrected
by what was measured.
"""

import math
from collections.abc import Callable

from darkroom.ledger.lines import Lines
from darkroom.ledger.protocol import Outlook
from darkroom.ledger.record import Record
from darkroom.ledger.rules import Rules


class Foresight:
    """`serving`: how many workers serve a model."""

    def __init__(self, lines: Lines, rules: Rules, serving: Callable[[str], int]) -> None:
        self._lines = lines
        self._rules = rules
        self._serving = serving

    def of(self, record: Record, now: int) -> Outlook:
        """Of a job that waits."""
        position = self._lines.position(record)
        others = (
            sum(other.expected_ms for other in self._lines.waiting() if _beside(other, record)) - record.expected_ms
        )
        if position is not None:
            length = sum(other.line == record.line for other in self._lines.in_line())
            others = others * position // max(1, length - 1)
        return self._outlook(record, position, others, now)

    def before(self, record: Record, now: int) -> Outlook:
        """Of a job that is not in line yet."""
        line = [other for other in self._lines.in_line() if other.line == record.line]
        own = sum(other.expected_ms for other in self._lines.waiting() if _beside(other, record))
        return self._outlook(record, len(line), own, now)

    def _outlook(self, record: Record, position: int | None, own: int, now: int) -> Outlook:
        ahead = own + self._others(record, own, now)
        ahead += self._other_priority(record, ahead)
        workers = self._serving(record.plan.model)
        wait = None
        if workers:
            waits = ahead > 0 or now - record.created_ms > self._rules.long_ms
            wait = math.ceil((ahead + self._running(record) // 2) / workers) / 1000 if waits else 0.0
        return Outlook(
            position=position,
            ahead_seconds=ahead / 1000,
            own_seconds=record.expected_ms / 1000,
            workers=workers,
            wait_seconds=wait,
        )

    def _others(self, record: Record, own: int, now: int) -> int:
        """Milliseconds of other tenants at the same desk that are served first; of many, as a sample of them has it."""
        level = self._lines.level(record, now) + own / 1000 / record.quota.weight
        waiting = [other for other in self._lines.waiting() if other.desk == record.desk]
        seated = self._lines.seated(record.desk)
        looks = min(len(seated), self._rules.outlook_tenants)
        ahead = 0
        for tenant in (seated[i * len(seated) // looks] for i in range(looks)):
            if tenant != record.tenant:
                theirs = sum(other.expected_ms for other in waiting if other.tenant == tenant)
                behind = (level - self._lines.used(record.desk, tenant, now)) * self._lines.weight(tenant)
                ahead += max(0, min(theirs, math.floor(behind * 1000)))
        return ahead * len(seated) // max(1, looks)

    def _other_priority(self, record: Record, ahead: int) -> int:
        turns = self._rules.bulk_every - 1
        model, priority = record.desk
        theirs = sum(
            other.expected_ms
            for other in self._lines.waiting()
            if other.plan.model == model and other.plan.priority != priority
        )
        if priority == "interactive":
            return min(theirs, ahead // turns)
        return min(theirs, (ahead + record.expected_ms) * turns)

    def _running(self, record: Record) -> int:
        return sum(other.expected_ms for other in self._lines.running() if other.plan.model == record.plan.model)


def _beside(other: Record, record: Record) -> bool:
    return (other.desk, other.tenant) == (record.desk, record.tenant)
