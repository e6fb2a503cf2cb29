"""A pause for a client that makes none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from darkroom.errors import DarkroomError

PAUSE_SECONDS: Final = 1.0
_HASTY: Final = "@huggingface/inference"


@asynccontextmanager
async def slowed(request: Request) -> AsyncIterator[None]:
    """`@huggingface/inference` asks again after a 503 at once, and without end: it hears of one a little later."""
    try:
        yield
    except DarkroomError as error:
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE and _HASTY in request.headers.get("user-agent", ""):
            await asyncio.sleep(PAUSE_SECONDS)
        raise
