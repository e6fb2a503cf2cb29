"""Checkpoints in memory: under a byte budget, least recently used out first, never while somebody holds a lease."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Condition
from types import TracebackType
from typing import Literal, Self

from darkroom.errors import OutOfMemory
from worker.models.checkpoint import Checkpoint


class Lease:
    """The right to use a checkpoint until `release`, which may be called again."""

    def __init__(self, checkpoint: Checkpoint, release: Callable[[], None]) -> None:
        self.checkpoint = checkpoint
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


class ModelCache:
    """Thread-safe. `load` makes a checkpoint by name, `measure` says beforehand how many bytes it will take."""

    def __init__(self, load: Callable[[str], Checkpoint], measure: Callable[[str], int], budget_bytes: int) -> None:
        self._load = load
        self._measure = measure
        self._budget = budget_bytes
        self._changed = Condition()
        self._resident: OrderedDict[str, Checkpoint] = OrderedDict()
        self._leases: dict[str, int] = {}
        self._loading: dict[str, int] = {}

    def resident(self) -> tuple[str, ...]:
        """Names of loaded models, least recently used first."""
        with self._changed:
            return tuple(self._resident)

    def fits(self, name: str) -> Literal["now", "later", "never"]:
        """Whether `lease(name)` would find room: now, once models in use are given back, or not at all."""
        with self._changed:
            if name in self._resident or name in self._loading or self._fits(name):
                return "now"
            return "later" if self._measure(name) <= self._budget else "never"

    def lease_loaded(self, name: str) -> Lease | None:
        """A lease on a model that is in memory already."""
        with self._changed:
            return self._lend(name) if name in self._resident else None

    def lease(self, name: str) -> Lease:
        """The model `name`, loaded first if need be; two callers never load it twice.

        Raises: ModelError; OutOfMemory when it does not fit beside the models in use.
        """
        with self._changed:
            self._changed.wait_for(lambda: name not in self._loading)
            if name in self._resident:
                return self._lend(name)
            self._reserve(name)
        return self._load_and_lend(name)

    def reserve(self, name: str) -> Callable[[], Lease]:
        """Make room for `name` now; the function returned does the rest of `lease`, on whatever thread.

        Room that is made only when the loading begins may be gone by then. Raises: as `lease`.
        """
        with self._changed:
            if name in self._resident or name in self._loading:
                return lambda: self.lease(name)
            self._reserve(name)
        return lambda: self._load_and_lend(name)

    def evict_idle(self) -> None:
        """Drop every model nobody holds."""
        with self._changed:
            self._evict_until(0)

    def _reserve(self, name: str) -> None:
        if not self._fits(name):
            raise OutOfMemory(f"model {name} does not fit into memory beside the models in use")
        self._loading[name] = self._measure(name)
        self._evict_until(self._budget - sum(self._loading.values()))

    def _load_and_lend(self, name: str) -> Lease:
        checkpoint = None
        try:
            checkpoint = self._load(name)
        finally:
            with self._changed:
                del self._loading[name]
                if checkpoint is not None:
                    self._resident[name] = checkpoint
                    self._leases[name] = 0
                    lease = self._lend(name)
                self._changed.notify_all()
        return lease

    def _lend(self, name: str) -> Lease:
        self._leases[name] += 1
        self._resident.move_to_end(name)
        return Lease(self._resident[name], lambda: self._return(name))

    def _return(self, name: str) -> None:
        with self._changed:
            self._leases[name] -= 1
            self._changed.notify_all()

    def _fits(self, name: str) -> bool:
        held = sum(model.bytes for other, model in self._resident.items() if self._leases[other])
        return held + sum(self._loading.values()) + self._measure(name) <= self._budget

    def _evict_until(self, most_bytes: int) -> None:
        for name in list(self._resident):
            if sum(model.bytes for model in self._resident.values()) <= most_bytes:
                return
            if not self._leases[name]:
                del self._resident[name], self._leases[name]
