"""Pictures of a request that lie elsewhere, fetched for few requests at a time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import IO

from api.desk import Desk
from darkroom.inputs import fetched as inputs
from darkroom.inputs.naming import lies_elsewhere
from darkroom.outbound import Guard


@asynccontextmanager
async def fetched(desk: Desk, pictures: Mapping[str, str], guard: Guard) -> AsyncIterator[Mapping[str, IO[bytes]]]:
    """As `darkroom.inputs.fetched.fetched`, which says what it raises; CapacityError when too many are on their way."""
    if not any(map(lies_elsewhere, pictures.values())):
        yield {}
        return
    with desk.errands:
        async with inputs.fetched(pictures, guard) as files:
            yield files
