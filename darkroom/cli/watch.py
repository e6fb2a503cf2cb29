"""What `darkroom up` says of its worker while everything else goes well."""

from collections.abc import Callable
from typing import Protocol


class Seen(Protocol):
    """The part of `worker.status.Status` that is shown."""

    @property
    def worker(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def detail(self) -> str: ...


class WorkerWatch:
    """Begins with a worker that is ready. `look` returns what it says of itself, None when there is none."""

    def __init__(self, look: Callable[[], Seen | None]) -> None:
        self._look = look
        self._ready = True
        self._name = _name(look())

    def news(self) -> str | None:
        """One line when the worker has stopped being ready, or is ready again, since the last call."""
        seen = self._look()
        ready = seen is not None and seen.state == "ready"
        was_ready, self._ready = self._ready, ready
        if not ready:
            return f"the worker is no longer ready: {_words(seen)}" if was_ready else None
        before, self._name = self._name, _name(seen)
        if not was_ready:
            return "the worker is ready again"
        return "the worker had ended; another took its place" if before != self._name else None


def _name(seen: Seen | None) -> str:
    return seen.worker if seen else ""


def _words(seen: Seen | None) -> str:
    if seen is None:
        return "its process has ended"
    return f"{seen.state}, {seen.detail}" if seen.detail else seen.state
