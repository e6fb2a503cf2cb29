"""The bytes of finished pictures, for protocols that answer with pictures instead of where they are."""

import base64

from darkroom.contract.job import Job
from darkroom.services import Services


async def bytes_of(services: Services, job: Job) -> list[bytes]:
    """In the order of their index. Raises: NotStored, StoreUnavailable."""
    return [await services.store.get(artifact.key) for artifact in sorted(job.artifacts, key=lambda each: each.index)]


async def base64_of(services: Services, job: Job) -> list[str]:
    """The same in base64. Raises: NotStored, StoreUnavailable."""
    return [base64.b64encode(data).decode() for data in await bytes_of(services, job)]
