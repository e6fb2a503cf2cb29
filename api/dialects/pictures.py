"""The bytes of finished pictures, for protocols that answer with pictures instead of where they are."""

import asyncio
import base64
import time

from darkroom.contract.job import Job
from darkroom.errors import PicturesUnread, StoreUnavailable
from darkroom.services import Services
from darkroom.storage.protocol import ObjectStore

AWAY_SECONDS = 0.5
PATIENCE_SECONDS = 5.0


async def bytes_of(services: Services, job: Job, *, kept: bool) -> list[bytes]:
    """In the order of their index. `kept`: with an idempotency key. Raises: as `picture_at`."""
    ordered = sorted(job.artifacts, key=lambda each: each.index)
    return [await picture_at(services.store, artifact.key, kept=kept) for artifact in ordered]


async def base64_of(services: Services, job: Job, *, kept: bool) -> list[str]:
    """The same in base64. Raises: as `picture_at`."""
    return [base64.b64encode(data).decode() for data in await bytes_of(services, job, kept=kept)]


async def picture_at(store: ObjectStore, key: str, *, kept: bool) -> bytes:
    """Its bytes. An outage is waited out for a while: who asked again would have all pictures made again, for one that
    could not be read at once. Raises: NotStored; StoreUnavailable if they are `kept` for who asks again, or else
    PicturesUnread, which is final."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await store.get(key)
        except StoreUnavailable as error:
            if time.monotonic() > until:
                if kept:
                    raise
                told = "the pictures were made, but their store does not answer; the generation has them when it does"
                raise PicturesUnread(told) from error
            await asyncio.sleep(AWAY_SECONDS)
