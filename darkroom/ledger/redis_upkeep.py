"""What `RedisLedger` keeps beside jobs: who serves, what callers may still spend or prefer, what is to be deleted."""

import hashlib
from collections import Counter
from collections.abc import Mapping

from darkroom.ledger import cursor as cursors
from darkroom.ledger import preferences
from darkroom.ledger.allowances import step_ms
from darkroom.ledger.connection import Connection
from darkroom.ledger.fields import counts_of, pairs
from darkroom.ledger.health import examine
from darkroom.ledger.protocol import JsonObject, LedgerHealth
from darkroom.ledger.rules import Rules, milliseconds


class RedisUpkeep:
    """Part of a `RedisLedger`."""

    def __init__(self, server: Connection, rules: Rules) -> None:
        self.rules = rules
        self._client, self._key = server.client, server.key
        self._run, self._ask = server.run, server.ask

    async def serving(self) -> Mapping[str, int]:
        return Counter(dict(await self._run("serving")))

    async def waiting(self) -> Mapping[str, int]:
        return counts_of(await self._ask(self._client.hgetall(self._key("waiting"))))

    async def leftovers(self, *, after: str = "0", limit: int = 100) -> list[tuple[str, tuple[str, ...]]]:
        cursors.event_id(after)
        rows = await self._ask(self._client.xrange(self._key("leftovers"), min=f"({after}", count=limit))
        return [(row, tuple(fields["keys"].split())) for row, fields in rows]

    async def take_leftovers(self, after: str, limit: int, lease: float) -> list[tuple[str, tuple[str, ...]]]:
        cursors.event_id(after)
        rows = await self._run("take_leftovers", after, limit, milliseconds(lease))
        return [(row, tuple(keys.split())) for row, keys in rows]

    async def leftovers_done(self, *rows: str) -> None:
        if rows:
            await self._run("leftovers_done", *rows)

    async def spend(self, per_minute: Mapping[str, int]) -> float:
        asked = [(hashlib.sha256(name.encode()).hexdigest(), step_ms(most), most) for name, most in per_minute.items()]
        wait: int = await self._run("spend", *(part for allowance in asked for part in allowance))
        return wait / 1000

    async def prefer(self, tenant: str, kind: str, changes: JsonObject) -> JsonObject:
        texts = preferences.written(changes)
        answer = await self._run("prefer", kind, tenant, *(part for pair in texts.items() for part in pair))
        if answer is None:
            raise preferences.too_many(self.rules.max_preferences)
        return preferences.read(pairs(answer))

    async def preferences(self, tenant: str, kind: str) -> JsonObject:
        return await self.prefer(tenant, kind, {})

    async def check(self) -> LedgerHealth:
        health: LedgerHealth = await self._ask(examine(self._client, self._key()))
        return health
