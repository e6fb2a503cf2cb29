"""Where pictures are looked at: few may come, and one at a time is decoded, which takes much memory.

Of the few, one tenant may be half: what one sends slowly, or has fetched from slow hosts, leaves room for the others.
Where there are no others, it may be all.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from darkroom.errors import CapacityError, TenantLimit
from darkroom.settings import Settings

VISITORS = 16
LISTENERS = 1_000  # half of the connections that there may be
WORDS = 64
AT_ONCE = 1
IN_LINE = 16


class Room:
    """Counts who is in, by tenant. `crowded`: what too many of do. `shared`: whether there are several tenants."""

    def __init__(self, most: int, crowded: str, *, shared: bool) -> None:
        self._most, self._crowded = most, crowded
        self._of_one = most // 2 if shared else most
        self._inside: Counter[str] = Counter()

    def enter(self, tenant: str) -> None:
        """Raises: CapacityError; TenantLimit where the tenant's own are too many."""
        if self._inside.total() >= self._most:
            raise CapacityError(f"too many {self._crowded}", retry_after=2)
        if self._inside[tenant] >= self._of_one:
            raise TenantLimit(f"too many of your {self._crowded}", retry_after=2)
        self._inside[tenant] += 1

    def leave(self, tenant: str) -> None:
        self._inside[tenant] -= 1
        self._inside += Counter()  # forgets who has none inside


class Crowd:
    """Lets so many in and no more. What they bring waits for its turn on disk, or is not yet read."""

    def __init__(
        self, most: int | None = None, crowded: str = "pictures are being looked at", *, shared: bool = False
    ) -> None:
        self._room = Room(VISITORS if most is None else most, crowded, shared=shared)

    @contextmanager
    def of(self, tenant: str) -> Iterator[None]:
        """A place in it. Raises: CapacityError, TenantLimit."""
        self._room.enter(tenant)
        try:
            yield
        finally:
            self._room.leave(tenant)


class Desk:
    """Lets one caller in and a few wait."""

    def __init__(self, *, shared: bool = False) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._line = Room(IN_LINE, "pictures are being read", shared=shared)

    @asynccontextmanager
    async def of(self, tenant: str) -> AsyncIterator[None]:
        """The caller's turn. Raises: CapacityError, TenantLimit."""
        self._line.enter(tenant)
        try:
            await self._places.acquire()
        finally:
            self._line.leave(tenant)
        try:
            yield
        finally:
            self._places.release()


@dataclass(frozen=True)
class Desks:
    """All such places of a gateway.

    `reading`: where pictures are decoded. `uploads`: whose pictures come as a body. `long_bodies`: whose requests hold
    them. `errands`: whose pictures are fetched from elsewhere. `listeners`: who waits for events, or for an end.
    `words`: whose prompts are being looked at.
    """

    reading: Desk
    uploads: Crowd
    long_bodies: Crowd
    errands: Crowd
    listeners: Crowd
    words: Crowd

    @classmethod
    def of(cls, settings: Settings) -> "Desks":
        shared = len(set(settings.api_keys.values())) > 1
        uploads, long_bodies, errands = (Crowd(shared=shared) for _ in range(3))
        listeners = Crowd(LISTENERS, "requests wait for events", shared=shared)
        words = Crowd(WORDS, "prompts are being looked at", shared=shared)
        return cls(Desk(shared=shared), uploads, long_bodies, errands, listeners, words)
