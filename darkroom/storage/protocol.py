"""What a store promises. Three backends keep it: a folder, S3, memory; one suite tests all."""

from datetime import timedelta
from typing import Protocol


class ObjectStore(Protocol):
    """Bytes by key. Keys are `/`-separated names of `[A-Za-z0-9._-]`. Every method may raise `StoreUnavailable`."""

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool:
        """Store whole or not at all. False, and nothing written, when `if_absent` and the key is taken."""
        ...

    async def get(self, key: str) -> bytes:
        """Raises: NotStored."""
        ...

    async def delete(self, key: str) -> None:
        """Remove; absent keys are fine."""
        ...

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]:
        """The first keys below `folder/` that come after the key `after`, in the order of their characters.

        Only names of which none begins another beside it can be relied on: some servers sort `a.b` after `a/b`.
        """
        ...

    async def url(self, key: str, *, expires: timedelta, media_type: str, filename: str) -> str | None:
        """A presigned GET on the public endpoint, or None when only the gateway can serve this store."""
        ...

    async def check(self) -> None:
        """Raise StoreUnavailable unless a write and a read would work."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
