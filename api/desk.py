"""Where pictures are read: few at a time, for each that is decoded holds a processor and much memory."""

import asyncio

from darkroom.errors import CapacityError

# More at once would only be slower.
AT_ONCE = 2
IN_LINE = 16


class Desk:
    """Lets a few callers in and a few wait. Waiting bodies stay unread, in the sockets and not in memory."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= IN_LINE:
            raise CapacityError("too many pictures are being read", retry_after=2)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._places.release()
