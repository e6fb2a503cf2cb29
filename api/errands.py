"""Pictures of a request that lie elsewhere, fetched for few requests at a time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import IO

from api.desk import Crowd
from darkroom.inputs import fetched as inputs
from darkroom.inputs.naming import lies_elsewhere
from darkroom.outbound import Guard


@asynccontextmanager
async def fetched(
    errands: Crowd, tenant: str, pictures: Mapping[str, str], guard: Guard
) -> AsyncIterator[Mapping[str, IO[bytes]]]:
    """As `darkroom.inputs.fetched.fetched`, which says what it raises; CapacityError when too many are on their way,
    TenantLimit when too many of this tenant's are."""
    if not any(map(lies_elsewhere, pictures.values())):
        yield {}
        return
    with errands.of(tenant):
        async with inputs.fetched(pictures, guard.on_behalf_of(tenant)) as files:
            yield files
