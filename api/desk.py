"""Where pictures are looked at: few may come, and one at a time is decoded, which takes much memory."""

import asyncio

from darkroom.errors import CapacityError

VISITORS = 16
AT_ONCE = 1
IN_LINE = 16


class Desk:
    """Lets one caller in and a few wait. `errands`: whose pictures are fetched from elsewhere, to be read here."""

    def __init__(self) -> None:
        self.errands = Crowd()
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


class Crowd:
    """Lets so many in and no more. What they bring waits for its turn on disk, or is not yet read."""

    def __init__(self) -> None:
        self._visitors = 0

    def __enter__(self) -> None:
        if self._visitors >= VISITORS:
            raise CapacityError("too many pictures are being looked at", retry_after=2)
        self._visitors += 1

    def __exit__(self, *_: object) -> None:
        self._visitors -= 1
