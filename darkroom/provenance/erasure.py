"""Records that are looked at, and forgotten, by hand: for whoever asks that what is kept of a picture be erased.

A record is found by its mark. Attempts that lost to another have left manifests, too; notes of their day name those.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from darkroom.provenance.record_keys import EXPIRING, expiring_key, manifest_key, mark_key
from darkroom.provenance.records import Record, Records, watermark_id

PAGE: Final = 20  # notes that are read at once
_NEXT_DOOR: Final = (-1, 0, 1)  # days: attempts at one picture lie on both sides of a midnight


class ErasableStore(Protocol):
    """The two methods of an object store that erasing needs."""

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]: ...

    async def delete(self, key: str) -> None: ...


@dataclass(frozen=True)
class Forgotten:
    """What was deleted under one mark."""

    watermark_id: str
    manifests: int


class Erasure:
    """Over one store and the records in it."""

    def __init__(self, store: ErasableStore, records: Records) -> None:
        self._store = store
        self._records = records

    async def forget(self, mark_id: int) -> Forgotten | None:
        """Delete the record of a mark, all manifests signed for it, and their notes. None where nothing is kept.

        The mark goes last, since it leads to the rest: what fails in between is done by asking again.
        Raises: StoreError, StoreUnavailable.
        """
        record = await self._records.find(mark_id)
        if record is None:
            return None
        labels = {record.manifest_id: expiring_key(record.watermark_id, record.manifest_id, record.created_at)}
        labels |= {note.rpartition(".")[2]: note async for note in self._notes(record)}
        for label, note in labels.items():
            await self._store.delete(manifest_key(label))
            await self._store.delete(note)
        await self._store.delete(mark_key(record.watermark_id))
        return Forgotten(watermark_id(mark_id), len({manifest_key(label) for label in labels}))

    async def _notes(self, record: Record) -> AsyncIterator[str]:
        made = datetime.fromtimestamp(record.created_at, UTC).date()
        for day in (made + timedelta(days=days) for days in _NEXT_DOOR):
            folder = f"{EXPIRING}/{day.isoformat()}"
            page = [f"{folder}/{record.watermark_id}"]
            while page:
                keys = await self._store.keys(folder, after=page[-1], limit=PAGE)
                page = [key for key in keys if key.startswith(f"{folder}/{record.watermark_id}.")]
                for key in page:
                    yield key
