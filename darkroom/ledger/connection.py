"""How the ledger's parts reach their server: one pool of connections, and scripts that are written once."""

import asyncio
from collections.abc import Awaitable, Iterable
from time import monotonic
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from darkroom.breaker import Breaker
from darkroom.errors import LedgerUnavailable
from darkroom.ledger import lua
from darkroom.ledger.edge import redis_errors
from darkroom.ledger.rules import Rules
from darkroom.tracing import span

_CONNECTIONS = 16


class Connection:
    """A server and a prefix, shared by all that is kept there. Belongs to one event loop.

    `patience` bounds each call in seconds, connecting and waiting for a connection included. `clock` is Lua that
    defines `now_ms()`: the server's own time unless a test brings another. With a `breaker`, calls are refused at once
    while the server does not answer.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        patience: float,
        rules: Rules,
        clock: str | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.rules = rules
        self.prefix = f"{{{prefix}}}"
        self.client = _client(url, patience)
        self.away_at: float | None = None
        self._patience = patience
        self._clock = clock or lua.source("clock")
        self._scripts: dict[str, Any] = {}
        self._breaker = breaker or Breaker("ledger")
        if breaker is not None:
            breaker.probe_by(self._ping)

    def register(self, names: Iterable[str]) -> None:
        """Have these scripts ready for `run`."""
        for name in names:
            self._scripts[name] = self.client.register_script(lua.script(name, self.rules, self._clock))

    async def run(self, name: str, *arguments: str | int | bytes) -> Any:
        """What the script answers. Raises: LedgerUnavailable."""
        with span(f"ledger.{name}"):
            return await self.ask(self._scripts[name](keys=[self.prefix], args=arguments))

    async def ask(self, reply: Awaitable[Any]) -> Any:
        """A reply of the server's, within our patience. Raises: LedgerUnavailable."""
        try:
            with self._breaker.guarding():
                async with redis_errors(self._patience):
                    return await reply
        except LedgerUnavailable:
            self.away_at = monotonic()
            if asyncio.iscoroutine(reply):  # a call that was refused was never begun
                reply.close()
            raise

    async def _ping(self) -> None:
        async with redis_errors(self._patience):
            await self.client.ping()

    def key(self, *parts: str) -> str:
        return ":".join((self.prefix, *parts))

    async def close(self) -> None:
        await self._breaker.close()
        await self.client.aclose()
        await self.client.connection_pool.aclose()


def _client(url: str, patience: float) -> Redis:
    """No retries of redis-py's own: its defaults keep a caller for a minute, and every one of our calls may be tried
    again by whoever made it. Connecting and reading take half the patience each, so that they keep to it by themselves
    where a cancellation is lost (see `NewsBell.close`)."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=patience,
        socket_timeout=patience / 2,
        socket_connect_timeout=patience / 2,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=True,
    )
    return Redis(connection_pool=pool)
