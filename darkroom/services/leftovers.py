"""Deletes the pictures of records that the ledger has forgotten.

The ledger keeps a row until all its pictures are gone, so a courier that dies in between, or a store that is away,
costs time and nothing else. Couriers share the rows: each is lent to one at a time. Marks and manifests under
`provenance/` stay: they lead back from a stripped picture.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Final

from darkroom.errors import StoreUnavailable
from darkroom.ledger.protocol import Ledger
from darkroom.log import get_logger
from darkroom.storage.protocol import ObjectStore

FIRST: Final = "0"
ROWS: Final = 1_000  # of a sweep: a busy service forgets a hundred jobs a second and more
AT_ONCE: Final = 16
LEASE_SECONDS: Final = 60.0  # on rows that are deleted; who is slower has them deleted twice, which does no harm

_log = get_logger(__name__)


class LeftoverSweep:
    """`sweep` does some of it, to be called again and again."""

    def __init__(self, ledger: Ledger, store: ObjectStore) -> None:
        self._ledger = ledger
        self._store = store
        self._after = FIRST

    async def sweep(self) -> int:
        """Delete what some rows name, several at a time; says how many keys that were. Raises: LedgerUnavailable.

        Stops where the store refuses a row, and begins after it next time: a store that is away costs one time-out a
        round, and one picture that cannot be deleted does not keep the others. From the end it begins anew.
        """
        deleted = 0
        for _ in range(0, ROWS, AT_ONCE):
            rows = await self._ledger.take_leftovers(self._after, AT_ONCE, LEASE_SECONDS)
            self._after = rows[-1][0] if len(rows) == AT_ONCE else FIRST
            gone = await _all(self._delete(keys) for _, keys in rows)
            ends = zip(rows, gone, strict=True)
            await self._ledger.leftovers_done(*(row for (row, _), done in ends if done is not None))
            deleted += sum(done or 0 for done in gone)
            if None in gone or self._after == FIRST:
                break
        return deleted

    async def _delete(self, keys: Sequence[str]) -> int | None:
        """How many keys that were; None where the store refused one."""
        try:
            for key in keys:
                await self._store.delete(key)
        except StoreUnavailable as error:
            _log.warning("pictures.kept", reason=error.detail, keys=keys)
            return None
        return len(keys)


async def _all(deleting: Iterable[Awaitable[int | None]]) -> list[int | None]:
    """What became of each. Raises what one of them does, after all of them have ended."""
    ends = await asyncio.gather(*deleting, return_exceptions=True)
    found: list[int | None] = []
    for end in ends:
        if isinstance(end, BaseException):
            raise end
        found.append(end)
    return found
