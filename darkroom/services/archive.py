"""The records of an installation, for its operator: found by a mark or by a generation, and forgotten."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from darkroom.contract.generation import MOST_IMAGES
from darkroom.errors import ConfigurationError
from darkroom.log import get_logger
from darkroom.provenance.erasure import Erasure, Forgotten
from darkroom.provenance.records import Record, Records
from darkroom.services.keys import key_ring, known_secret
from darkroom.services.onlooker import present_store
from darkroom.settings import Settings

MARK: Final = re.compile(r"[0-9a-f]{12}")
JOB: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")

_log = get_logger(__name__)


class Archive:
    """Answers of one picture by its `watermark_id`; `with_secret` also of all pictures of a generation by its id."""

    def __init__(self, records: Records, erasure: Erasure, *, with_secret: bool = True) -> None:
        self._records = records
        self._erasure = erasure
        self._with_secret = with_secret

    async def found(self, name: str) -> list[Record]:
        """What is kept. Raises: ConfigurationError; StoreError, StoreUnavailable."""
        records = [await self._records.find(mark_id) for mark_id in await self._marks(name)]
        return [record for record in records if record]

    async def forget(self, name: str) -> list[Forgotten]:
        """Delete what is kept; nothing where there is nothing. Raises: as `found`."""
        forgotten = [await self._erasure.forget(mark_id) for mark_id in await self._marks(name)]
        for each in filter(None, forgotten):
            _log.info("record.forgotten", watermark_id=each.watermark_id, manifests=each.manifests)
        return [each for each in forgotten if each]

    async def _marks(self, name: str) -> list[int]:
        if MARK.fullmatch(name):
            return [int(name, 16)]
        if not self._with_secret:
            raise ConfigurationError("generations are found by the watermark's secret, and there is none here")
        return [mark for index in range(MOST_IMAGES) async for mark in self._records.drawn(name, index)]


def is_name(text: str) -> bool:
    """Whether this can be a `watermark_id`, or the id of a generation."""
    return bool(MARK.fullmatch(text) or JOB.fullmatch(text))


@asynccontextmanager
async def open_archive(settings: Settings) -> AsyncIterator[Archive]:
    """Over the store of the settings. Makes no secret and no folder. Raises: ConfigurationError."""
    store = present_store(settings)
    try:
        secrets = _secrets(settings)
        records = Records(store, *(secrets or (b"",)))
        yield Archive(records, Erasure(store, records), with_secret=bool(secrets))
    finally:
        await store.close()


def _secrets(settings: Settings) -> tuple[bytes, ...]:
    secret = known_secret(settings)
    if secret is None:
        return ()
    ring = key_ring(settings, secret)
    return (ring.current.secret, *(old.secret for old in ring.older))
