"""The bytes of finished pictures, for protocols that answer with pictures instead of where they are."""

import asyncio
import base64
import time

from darkroom.contract.job import Job
from darkroom.errors import StoreUnavailable
from darkroom.services import Services
from darkroom.storage.protocol import ObjectStore

AWAY_SECONDS = 0.5
PATIENCE_SECONDS = 5.0


async def bytes_of(services: Services, job: Job) -> list[bytes]:
    """In the order of their index. Raises: NotStored, StoreUnavailable."""
    ordered = sorted(job.artifacts, key=lambda each: each.index)
    return [await picture_at(services.store, artifact.key) for artifact in ordered]


async def base64_of(services: Services, job: Job) -> list[str]:
    """The same in base64. Raises: NotStored, StoreUnavailable."""
    return [base64.b64encode(data).decode() for data in await bytes_of(services, job)]


async def picture_at(store: ObjectStore, key: str) -> bytes:
    """Its bytes. An outage is waited out for a while: who asked again would have all pictures made again, for one that
    could not be read at once. Raises: NotStored, StoreUnavailable."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await store.get(key)
        except StoreUnavailable:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(AWAY_SECONDS)
