"""Deliveries in Redis or Valkey, beside the ledger that makes them."""

from collections.abc import Iterable, Mapping, Sequence

from darkroom.contract.webhook import Attempt, Delivery, LentDelivery, Verdict
from darkroom.errors import NotFound
from darkroom.ledger import cursor as cursors
from darkroom.ledger import lua
from darkroom.ledger.connection import Connection
from darkroom.ledger.deliveries import Backlog, DeliveryPage, Room, Wanted
from darkroom.ledger.fields import pairs
from darkroom.ledger.rules import milliseconds
from darkroom.log import get_logger

log = get_logger(__name__)


class RedisDeliveries:
    """Shares the ledger's server, which closes it."""

    def __init__(self, server: Connection) -> None:
        server.register(lua.DELIVERY_SCRIPTS)
        self._run, self._ask = server.run, server.ask
        self._client, self._key = server.client, server.key

    async def take(self, room: Room, lease: float, busy: Mapping[str, int]) -> list[LentDelivery]:
        under_way = [part for pair in busy.items() for part in pair]
        limits = (room.free, milliseconds(lease), room.per_lane, room.per_tenant)
        rows = await self._run("take_deliveries", *limits, *under_way)
        return _readable(rows)

    async def seal(self, delivery_id: str, body: str) -> str | None:
        sealed: str | None = await self._run("seal_delivery", delivery_id, body)
        return sealed

    async def note(self, delivery_id: str, attempt: Attempt, verdict: Verdict) -> bool:
        noted = await self._run(
            "note_attempt",
            delivery_id,
            attempt.number,
            attempt.model_dump_json(),
            verdict.state.value,
            milliseconds(verdict.delay),
            verdict.reason or "",
            "1" if verdict.disable else "0",
        )
        return bool(noted)

    async def drop(self, delivery_id: str) -> bool:
        return bool(await self._run("drop_delivery", delivery_id))

    async def list(self, tenant: str, wanted: Wanted, *, limit: int, cursor: str | None = None) -> DeliveryPage:
        seen_at, seen = cursors.delivery_cursor(cursor) if cursor is not None else ("", "")
        after, *rows = await self._run(
            "list_deliveries",
            tenant,
            limit,
            "-inf" if wanted.after is None else milliseconds(wanted.after),
            "+inf" if wanted.before is None else milliseconds(wanted.before),
            wanted.job_id or "",
            f" {' '.join(wanted.states)} " if wanted.states else "",
            seen_at,
            seen,
        )
        return DeliveryPage(deliveries=tuple(_delivery(pairs(fields)) for _, fields in rows), cursor=after or None)

    async def get(self, tenant: str, delivery_id: str) -> tuple[Delivery, tuple[Attempt, ...]]:
        async with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(self._key("delivery", delivery_id))
            pipeline.lrange(self._key("attempts", delivery_id), 0, -1)
            fields, attempts = await self._ask(pipeline.execute())
        if fields.get("tenant") != tenant:
            raise NotFound("no such delivery")
        return _delivery(fields), tuple(map(Attempt.model_validate_json, attempts))

    async def replay(self, tenant: str, delivery_ids: Sequence[str]) -> int:
        replayed: int = await self._run("replay_deliveries", tenant, *delivery_ids)
        return replayed

    async def disabled(self, tenant: str) -> Mapping[str, float]:
        found = await self._ask(self._client.hgetall(self._key("disabled", tenant)))
        return {url: int(since) / 1000 for url, since in found.items()}

    async def enable(self, tenant: str, url: str) -> bool:
        return bool(await self._ask(self._client.hdel(self._key("disabled", tenant), url)))

    async def backlog(self) -> Backlog:
        pending, overdue_ms = await self._run("backlog")
        return Backlog(pending=pending, overdue=overdue_ms / 1000)


def _delivery(fields: Mapping[str, str]) -> Delivery:
    return Delivery.model_validate(
        {name: fields[name] for name in ("id", "tenant", "job_id", "event", "url", "state")}
        | {"attempts": int(fields["attempts"]), "reason": fields.get("reason") or None}
        | {name: int(fields[name]) / 1000 for name in ("created_at", "due_at", "ended_at") if name in fields}
    )


def _readable(rows: Iterable[tuple[str, Sequence[str], str | None]]) -> list[LentDelivery]:
    """Those that this version can read. One that it cannot, as of a newer gateway, waits for its lease to end and for a
    newer courier; the others go out."""
    lent: list[LentDelivery] = []
    for delivery_id, fields, body in rows:
        try:
            lent.append(_lent(pairs(fields), body))
        except (KeyError, ValueError) as error:
            log.error("delivery.unreadable", delivery=delivery_id, error=type(error).__name__)
    return lent


def _lent(fields: Mapping[str, str], body: str | None) -> LentDelivery:
    attempts = int(fields["attempts"])
    return LentDelivery.model_validate(
        {name: fields[name] for name in ("id", "tenant", "job_id", "event", "url", "base", "lane")}
        | {"created_at": int(fields["created_at"]) / 1000, "body": body}
        | {"number": attempts + 1, "turn": attempts - int(fields["before"]), "trace": fields.get("trace") or None}
    )
