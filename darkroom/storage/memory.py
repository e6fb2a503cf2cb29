"""A store in memory, for tests and for one process that may forget."""

from datetime import timedelta

from darkroom.errors import NotStored
from darkroom.storage.keys import checked_filename, checked_key


class MemoryStore:
    """Keeps ObjectStore's promises for as long as the process lives."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool:
        if if_absent and checked_key(key) in self._objects:
            return False
        self._objects[checked_key(key)] = bytes(data)
        return True

    async def get(self, key: str) -> bytes:
        try:
            return self._objects[checked_key(key)]
        except KeyError:
            raise NotStored(f"nothing is stored under {key}") from None

    async def delete(self, key: str) -> None:
        self._objects.pop(checked_key(key), None)

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]:
        below = f"{checked_key(folder)}/"
        return sorted(key for key in self._objects if key.startswith(below) and key > after)[:limit]

    async def url(self, key: str, *, expires: timedelta, media_type: str, filename: str) -> str | None:
        checked_key(key)
        checked_filename(filename)
        return None

    async def check(self) -> None:
        """Memory is always there."""

    async def close(self) -> None:
        """Nothing to give back."""
