"""A store whose calls are counted and timed: what `darkroom_store_calls_total` tells of."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter
from typing import TypeVar

from darkroom.errors import NotStored, StoreUnavailable
from darkroom.metrics import Metrics
from darkroom.storage.protocol import ObjectStore
from darkroom.tracing import span

T = TypeVar("T")


class MeasuredStore:
    """Keeps ObjectStore's promises as `store` does. Signing a URL asks no server, and is not counted."""

    def __init__(self, store: ObjectStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool:
        return await self._told("put", lambda: self._store.put(key, data, media_type=media_type, if_absent=if_absent))

    async def get(self, key: str) -> bytes:
        return await self._told("get", lambda: self._store.get(key))

    async def delete(self, key: str) -> None:
        await self._told("delete", lambda: self._store.delete(key))

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]:
        return await self._told("keys", lambda: self._store.keys(folder, after=after, limit=limit))

    async def url(self, key: str, *, expires: timedelta, media_type: str, filename: str) -> str | None:
        return await self._store.url(key, expires=expires, media_type=media_type, filename=filename)

    async def check(self) -> None:
        await self._told("check", self._store.check)

    async def close(self) -> None:
        await self._store.close()

    async def _told(self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        """A call that its caller gave up is an error: nobody knows what would have come of it."""
        began, outcome = perf_counter(), "error"
        try:
            with span(f"store.{operation}"):
                answer = await call()
            outcome = "ok"
            return answer
        except NotStored:
            outcome = "absent"
            raise
        except StoreUnavailable:
            outcome = "unavailable"
            raise
        finally:
            self._metrics.stored(operation, outcome, perf_counter() - began)
