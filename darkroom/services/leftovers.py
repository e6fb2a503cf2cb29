"""Deletes the pictures of records that the ledger has forgotten.

The ledger keeps a row until all its pictures are gone, so a courier that dies in between, or a store that is away,
costs time and nothing else. Marks and manifests under `provenance/` stay: they lead back from a stripped picture.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence

from darkroom.errors import StoreUnavailable
from darkroom.ledger.protocol import Ledger
from darkroom.log import get_logger
from darkroom.storage.protocol import ObjectStore

FIRST = "0"
ROWS = 1_000  # of a sweep: a busy service forgets a hundred jobs a second and more
AT_ONCE = 16

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
        round, and one picture that cannot be deleted does not keep the others.
        """
        rows = await self._ledger.leftovers(after=self._after, limit=ROWS)
        deleted = 0
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            self._after, _ = some[-1]
            gone = await _all(self._delete(row, keys) for row, keys in some)
            deleted += sum(keys or 0 for keys in gone)
            if None in gone:
                return deleted
        if not rows:
            self._after = FIRST
        return deleted

    async def _delete(self, row: str, keys: Sequence[str]) -> int | None:
        """How many keys that were; None where the store refused one."""
        try:
            for key in keys:
                await self._store.delete(key)
        except StoreUnavailable as error:
            _log.warning("pictures.kept", reason=error.detail, keys=keys)
            return None
        await self._ledger.leftovers_done(row)
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
