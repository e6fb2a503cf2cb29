"""Whom a cache of weights tells how it fares."""

from typing import Protocol


class CacheWatch(Protocol):
    """Told under the cache's lock, on any thread: answers must be quick and must not raise."""

    def hit(self) -> None:
        """What was wanted was there."""
        ...

    def loaded(self, seconds: float) -> None:
        """What was wanted was brought in."""
        ...

    def holds(self, size: int) -> None:
        """So many bytes are in memory now."""
        ...


class Unwatched:
    """Listens to nothing."""

    def hit(self) -> None:
        pass

    def loaded(self, seconds: float) -> None:
        pass

    def holds(self, size: int) -> None:
        pass
