"""One picture on its way into the store: stamped once, however often the store has to be asked.

Stamping again would ask whoever signs and whoever attests the time again, and make another file of the same picture.
"""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from darkroom.provenance.facts import Facts, Stamped
from darkroom.provenance.records import RecordStore
from darkroom.provenance.watermark import RGB


class Stamping(Protocol):
    """What issuing needs of `darkroom.provenance.Stamper`."""

    def reserve(self, facts: Facts) -> Awaitable[int]: ...

    def stamp(self, rgb_HWC: RGB, facts: Facts, mark_id: int) -> Stamped: ...

    def stamp_unreserved(self, rgb_HWC: RGB, facts: Facts) -> Stamped: ...

    def keep(self, stamped: Stamped, store: RecordStore, key: str) -> Awaitable[Stamped]: ...

    def deliver(self, stamped: Stamped, store: RecordStore, key: str) -> Awaitable[Stamped]: ...


class Issue:
    """Holds pixels until they are stamped, and from then on what was made of them."""

    def __init__(self, stamper: Stamping, rgb_HWC: RGB, facts: Facts) -> None:
        self._stamper = stamper
        self._held: RGB | Stamped = rgb_HWC
        self._facts = facts

    @property
    def size(self) -> int:
        """Bytes that it takes, or at most will take."""
        return len(self._held.data) + len(self._held.manifest) if isinstance(self._held, Stamped) else self._held.nbytes

    async def stored(self, store: RecordStore, key: str) -> Stamped:
        """Stamp the picture and store it under `key`; may be called again after it failed.

        Raises: UnmarkedOutput, UnsignedOutput, SigningUnavailable, GenerationError, StoreError, StoreUnavailable.
        """
        if isinstance(self._held, Stamped):
            return await self._stamper.deliver(self._held, store, key)
        mark_id = await self._stamper.reserve(self._facts)
        self._held = await asyncio.to_thread(self._stamper.stamp, self._held, self._facts, mark_id)
        return await self._stamper.keep(self._held, store, key)

    async def unstored(self) -> Stamped:
        """Without the store, to be delivered later. Raises: as `stored`, but for what stores raise."""
        if not isinstance(self._held, Stamped):
            self._held = await asyncio.to_thread(self._stamper.stamp_unreserved, self._held, self._facts)
        return self._held
