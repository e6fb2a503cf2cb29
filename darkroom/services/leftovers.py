"""Deletes the pictures of records that the ledger has forgotten.

The ledger keeps a row until all its pictures are gone, so a courier that dies in between, or a store that is away,
costs time and nothing else. Marks and manifests under `provenance/` stay: they lead back from a stripped picture.
"""

from darkroom.errors import StoreUnavailable
from darkroom.ledger.protocol import Ledger
from darkroom.log import get_logger
from darkroom.storage.protocol import ObjectStore

FIRST = "0"

_log = get_logger(__name__)


class LeftoverSweep:
    """`sweep` does some of it, to be called again and again."""

    def __init__(self, ledger: Ledger, store: ObjectStore) -> None:
        self._ledger = ledger
        self._store = store
        self._after = FIRST

    async def sweep(self) -> int:
        """Delete what some rows name; says how many keys that were. Raises: LedgerUnavailable.

        Stops at the first row that the store refuses, and begins after it next time: a store that is away costs one
        time-out a round, and one picture that cannot be deleted does not keep the others.
        """
        rows = await self._ledger.leftovers(after=self._after)
        deleted = 0
        for row, keys in rows:
            self._after = row
            try:
                for key in keys:
                    await self._store.delete(key)
            except StoreUnavailable as error:
                _log.warning("pictures.kept", reason=error.detail, keys=keys)
                return deleted
            await self._ledger.leftovers_done(row)
            deleted += len(keys)
        if not rows:
            self._after = FIRST
        return deleted
