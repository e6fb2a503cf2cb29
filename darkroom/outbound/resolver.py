"""Looking names up without letting one who names slow ones hold up the others."""

import asyncio
import socket
from collections import defaultdict
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final

Resolve = Callable[[str, int], Awaitable[list[str]]]

AT_ONCE: Final = 32
OF_ONE: Final = 8  # look-ups at once for one tenant


class SystemResolver:
    """Asks the system's resolver, in threads of its own.

    A look-up cannot be broken off: its thread is busy until the system gives up, long after its caller did. So a tenant
    whose names hang has OF_ONE threads and no more, and its other look-ups wait for those.
    """

    def __init__(self, at_once: int = AT_ONCE, of_one: int = OF_ONE) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="resolver")
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(of_one))

    def of(self, tenant: str) -> Resolve:
        """Look-ups that this tenant's requests ask for."""
        return partial(self._look_up, self._turns[tenant])

    async def _look_up(self, turns: asyncio.Semaphore, host: str, port: int) -> list[str]:
        """Every address of a host. Raises: OSError, or UnicodeError for what is no name."""
        await turns.acquire()
        loop = asyncio.get_running_loop()

        def leave(_: object) -> None:
            with suppress(RuntimeError):  # the loop may have ended before the look-up
                loop.call_soon_threadsafe(turns.release)

        looking: Future[list[str]] = self._threads.submit(_addresses, host, port)
        looking.add_done_callback(leave)
        return await asyncio.wrap_future(looking)


def _addresses(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
