"""A store behind a breaker: while it does not answer, calls are refused at once instead of after a time-out each."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from darkroom.breaker import Breaker
from darkroom.storage.protocol import ObjectStore

T = TypeVar("T")


class GuardedStore:
    """Keeps ObjectStore's promises as `store` does. Signing a URL asks no server, so it is always let through."""

    def __init__(self, store: ObjectStore, breaker: Breaker) -> None:
        self._store = store
        self._breaker = breaker
        breaker.probe_by(store.check)

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool:
        return await self._watched(lambda: self._store.put(key, data, media_type=media_type, if_absent=if_absent))

    async def get(self, key: str) -> bytes:
        return await self._watched(lambda: self._store.get(key))

    async def delete(self, key: str) -> None:
        await self._watched(lambda: self._store.delete(key))

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]:
        return await self._watched(lambda: self._store.keys(folder, after=after, limit=limit))

    async def url(self, key: str, *, expires: timedelta, media_type: str, filename: str) -> str | None:
        return await self._store.url(key, expires=expires, media_type=media_type, filename=filename)

    async def check(self) -> None:
        await self._watched(lambda: self._store.check())

    async def close(self) -> None:
        await self._breaker.close()
        await self._store.close()

    async def _watched(self, call: Callable[[], Awaitable[T]]) -> T:
        with self._breaker.guarding():
            return await call()
