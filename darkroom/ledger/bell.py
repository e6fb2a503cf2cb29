"""One subscription for a whole process: says which jobs have news, so that no waiting client holds a connection.

A bell may be lost with its connection. The job's stream is the truth, so whoever waits looks again after
`LOOK_SECONDS`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis

from darkroom.ledger.edge import is_away

LOOK_SECONDS = 1.0
_RECONNECT_SECONDS = 0.2


class NewsBell:
    """Wakes those who wait for a job when its id is published on `channel`."""

    def __init__(self, client: Redis, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    @contextmanager
    def waiting_for(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when the job has news; clear it before looking."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(), name="ledger-news")
        event = asyncio.Event()
        self._waiters[job_id].add(event)
        try:
            yield event
        finally:
            self._waiters[job_id].discard(event)
            if not self._waiters[job_id]:
                del self._waiters[job_id]

    async def close(self) -> None:
        """Stop listening. Asks again until it is so: `asyncio.wait_for`, which redis-py connects by, loses a
        cancellation that meets a result on Python 3.11."""
        while self._listener is not None and not self._listener.done():
            self._listener.cancel()
            await asyncio.wait([self._listener], timeout=0.05)
        self._listener = None

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_while_connected()
            except Exception as error:
                if not is_away(error):
                    raise
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_while_connected(self) -> None:
        async with self._client.pubsub() as subscription:
            await subscription.subscribe(self._channel)
            async for message in subscription.listen():
                if message["type"] == "message":
                    self._ring(message["data"])
                else:
                    # Just subscribed: news may have come before, so everybody looks once.
                    for job_id in list(self._waiters):
                        self._ring(job_id)

    def _ring(self, job_id: str) -> None:
        for event in self._waiters.get(job_id, ()):
            event.set()
