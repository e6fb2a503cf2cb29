"""When records end. Each has a note of its day under `provenance/expiring/`, which comes first in order when it is due.

A note's key says all: `provenance/expiring/2026-11-25/<watermark id>.<manifest, without its prefix>`.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from darkroom.provenance.record_keys import EXPIRING, manifest_key, mark_key

BATCH: Final = 20  # notes a sweep: four calls of a store each
REST_SECONDS: Final = 3600.0  # a note is due by the day, so nothing is lost by looking once an hour
_NOTE: Final = re.compile(rf"{EXPIRING}/(\d{{4}}-\d\d-\d\d)/([0-9a-f]{{12}})\.([A-Za-z0-9-]{{1,64}})")


class ExpiringStore(Protocol):
    """The two methods of an object store that ending records needs."""

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]: ...

    async def delete(self, key: str) -> None: ...


class _Note(NamedTuple):
    key: str
    ends: float
    mark: str
    manifest: str


class Retention:
    """Deletes what is older than `ttl` seconds; `sweep` does some of it, to be called again and again.

    The setting is applied when looking, not when recording: changing it holds for all notes that are there.
    """

    def __init__(self, store: ExpiringStore, ttl: int | None, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._ttl = ttl
        self._clock = clock
        self._after = ""
        self._rests_until = 0.0

    async def sweep(self) -> int:
        """Delete a batch of what is due; says how many records that were. Raises: StoreUnavailable.

        A record that the store refuses to delete is left for the next time around, and keeps no other.
        """
        if self._ttl is None or self._clock() < self._rests_until:
            return 0
        keys = await self._store.keys(EXPIRING, after=self._after, limit=BATCH)
        deleted = 0
        for key in keys:
            self._after = key
            note = _note(key)
            if note and note.ends + self._ttl > self._clock():
                return self._rest(deleted)
            if note:
                await self._end(note)
                deleted += 1
        return deleted if keys else self._rest(deleted)

    def _rest(self, deleted: int) -> int:
        self._after, self._rests_until = "", self._clock() + REST_SECONDS
        return deleted

    async def _end(self, note: _Note) -> None:
        """The note last: what fails in between is found again."""
        for key in (note.mark, note.manifest, note.key):
            await self._store.delete(key)


def _note(key: str) -> _Note | None:
    """None for what is no note of ours. It ends with its day."""
    match = _NOTE.fullmatch(key)
    if match is None:
        return None
    day, mark, manifest = match.groups()
    try:
        ends = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return _Note(key, ends.timestamp(), mark_key(mark), manifest_key(manifest))
