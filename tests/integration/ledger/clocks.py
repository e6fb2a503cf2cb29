"""Time that stands still until a test moves it, for either ledger."""

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from tests.integration.ledger.making import START

# In place of scripts/clock.lua.
STILL_LUA = "local function now_ms() return tonumber(redis.call('GET', KEYS[1] .. ':clock')) end"


class StillClock:
    """Unix seconds; a call reads them. `told` hears each new time in milliseconds."""

    def __init__(self, told: Callable[[int], Awaitable[object]] | None = None) -> None:
        self.now = START
        self._told = told

    def __call__(self) -> float:
        return self.now

    async def advance(self, seconds: float) -> None:
        self.now += seconds
        if self._told:
            await self._told(round(self.now * 1000))

    @classmethod
    async def on_server(cls, client: Redis, prefix: str) -> "StillClock":
        """The clock that `STILL_LUA` reads."""
        clock = cls(lambda milliseconds: client.set(f"{{{prefix}}}:clock", milliseconds))
        await clock.advance(0)
        return clock
