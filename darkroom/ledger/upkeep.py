"""What `MemoryLedger` keeps beside jobs: who serves, what callers may still spend or prefer, what is to be told of or
deleted.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence

from darkroom.contract.job import picture_keys
from darkroom.ledger import preferences
from darkroom.ledger.allowances import Allowances
from darkroom.ledger.lines import Lines
from darkroom.ledger.news import News
from darkroom.ledger.preferences import Preferences
from darkroom.ledger.protocol import JsonObject, LedgerHealth
from darkroom.ledger.record import Record
from darkroom.ledger.rows import Rows
from darkroom.ledger.rules import Rules, milliseconds
from darkroom.ledger.untold import Untold


class Upkeep(ABC):
    """Part of a `MemoryLedger`."""

    def __init__(self, lines: Lines, rules: Rules) -> None:
        self.lines = lines
        self.rules = rules
        self._allowances = Allowances()
        self._preferences = Preferences(rules.max_preferences, rules.preferences_ttl_ms)
        self.news = News()
        self._untold = Untold()
        self._leftovers: Rows[tuple[str, ...]] = Rows()
        self._attending: dict[str, tuple[int, frozenset[str]]] = {}

    @abstractmethod
    def _now(self) -> int: ...

    async def attend(self, worker: str, models: Sequence[str]) -> Mapping[str, int]:
        self._attending[worker] = (self._now() + self.rules.lease_ms, frozenset(models))
        serving = self._serving()
        return {model: serving[model] for model in models}

    def _workers_of(self, model: str) -> int:
        return self._serving()[model]

    async def serving(self) -> Mapping[str, int]:
        return self._serving()

    def _serving(self) -> Counter[str]:
        now = self._now()
        return Counter(model for until, models in self._attending.values() if until > now for model in models)

    async def waiting(self) -> Mapping[str, int]:
        return dict(Counter(record.plan.model for record in self.lines.waiting()))

    def _leave_pictures(self, record: Record, now: int) -> None:
        self._leftovers.put(self.news.next_id(now), picture_keys(record.id, record.plan))

    async def leftovers(self, *, after: str = "0", limit: int = 100) -> list[tuple[str, tuple[str, ...]]]:
        return self._leftovers.after(after, limit)

    async def take_leftovers(self, after: str, limit: int, lease: float) -> list[tuple[str, tuple[str, ...]]]:
        now = self._now()
        return self._leftovers.lend(after, limit, now, now + milliseconds(lease))

    async def leftovers_done(self, *rows: str) -> None:
        for row in rows:
            self._leftovers.done(row)

    async def spend(self, per_minute: Mapping[str, int]) -> float:
        return self._allowances.spend(per_minute, self._now()) / 1000

    async def prefer(self, tenant: str, kind: str, changes: JsonObject) -> JsonObject:
        kept = self._preferences.after((kind, tenant), preferences.written(changes), self._now())
        return preferences.read(kept)

    async def preferences(self, tenant: str, kind: str) -> JsonObject:
        return await self.prefer(tenant, kind, {})

    async def check(self) -> LedgerHealth:
        return LedgerHealth(problems=(), warnings=("the ledger is kept in memory and ends with this process",))
