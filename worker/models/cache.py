"""Checkpoints, VAEs and ControlNets in memory.

Under a byte budget, least recently used out first, never while one is leased.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Condition
from time import perf_counter
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from darkroom.contract.controlnet import NamedControlnet
from darkroom.contract.vae import NamedVae
from darkroom.errors import OutOfMemory
from worker.models.autoencoder import Autoencoder
from worker.models.checkpoint import Checkpoint
from worker.models.controlnet import Controlnet
from worker.models.watch import CacheWatch, Unwatched

T = TypeVar("T")

Wanted = str | NamedVae | NamedControlnet
"""A model by its name, a VAE or a ControlNet."""

Loaded = Checkpoint | Autoencoder | Controlnet


class Lease(Generic[T]):
    """The right to use what is `loaded` until `release`, which may be called again."""

    def __init__(self, loaded: T, release: Callable[[], None]) -> None:
        self.loaded = loaded
        self._release: Callable[[], None] | None = release

    @property
    def checkpoint(self: "Lease[Checkpoint]") -> Checkpoint:
        return self.loaded

    def release(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


class ModelCache:
    """Thread-safe. `load` makes what is wanted, `measure` says beforehand how many bytes it will take."""

    def __init__(
        self,
        load: Callable[[Any], Loaded],
        measure: Callable[[Any], int],
        budget_bytes: int,
        watch: CacheWatch | None = None,
    ) -> None:
        self._watch = watch or Unwatched()
        self._load = load
        self._measure = measure
        self._budget = budget_bytes
        self._changed = Condition()
        self._resident: OrderedDict[Wanted, Loaded] = OrderedDict()
        self._leases: dict[Wanted, int] = {}
        self._loading: dict[Wanted, int] = {}

    def resident(self) -> tuple[Wanted, ...]:
        """What is loaded, least recently used first."""
        with self._changed:
            return tuple(self._resident)

    def taken_bytes(self) -> int:
        """By what is loaded, and what is being loaded will take."""
        with self._changed:
            return self._resident_bytes() + sum(self._loading.values())

    def fits(self, *names: Wanted) -> Literal["now", "later", "never"]:
        """Whether leases on all of `names` would find room: now, once what is in use is given back, or not at all."""
        with self._changed:
            if all(name in self._resident or name in self._loading for name in names) or self._fit(*names):
                return "now"
            return "later" if sum(map(self._bytes, names)) <= self._budget else "never"

    def lease_loaded(self, name: Wanted) -> Lease[Any] | None:
        """A lease on what is in memory already."""
        with self._changed:
            return self._found(name) if name in self._resident else None

    def lease(self, name: Wanted) -> Lease[Any]:
        """The model or VAE `name`, loaded first if need be; two callers never load it twice.

        Raises: ModelError; OutOfMemory when it does not fit beside the models in use.
        """
        with self._changed:
            self._changed.wait_for(lambda: name not in self._loading)
            if name in self._resident:
                return self._found(name)
            self._reserve(name)
        return self._load_and_lend(name)

    def reserve(self, name: Wanted) -> Callable[[], Lease[Any]]:
        """Make room for `name` now; the function returned does the rest of `lease`, on whatever thread.

        Room that is made only when the loading begins may be gone by then. Raises: as `lease`.
        """
        with self._changed:
            if name in self._resident or name in self._loading:
                return lambda: self.lease(name)
            self._reserve(name)
        return lambda: self._load_and_lend(name)

    def evict_idle(self) -> None:
        """Drop everything nobody holds."""
        with self._changed:
            self._evict_until(0)

    def _reserve(self, name: Wanted) -> None:
        if not self._fit(name):
            raise OutOfMemory(f"{_words(name)} does not fit into memory beside what is in use")
        self._loading[name] = self._measure(name)
        self._evict_until(self._budget - sum(self._loading.values()))

    def _load_and_lend(self, name: Wanted) -> Lease[Any]:
        loaded, began = None, perf_counter()
        try:
            loaded = self._load(name)
            self._watch.loaded(perf_counter() - began)
        finally:
            with self._changed:
                del self._loading[name]
                if loaded is not None:
                    self._resident[name] = loaded
                    self._leases[name] = 0
                    self._watch.holds(self._resident_bytes())
                    lease = self._lend(name)
                self._changed.notify_all()
        return lease

    def _found(self, name: Wanted) -> Lease[Any]:
        self._watch.hit()
        return self._lend(name)

    def _lend(self, name: Wanted) -> Lease[Any]:
        self._leases[name] += 1
        self._resident.move_to_end(name)
        return Lease(self._resident[name], lambda: self._return(name))

    def _return(self, name: Wanted) -> None:
        with self._changed:
            self._leases[name] -= 1
            self._changed.notify_all()

    def _fit(self, *names: Wanted) -> bool:
        """Whether `names` have room beside what is held, when they are held themselves."""
        held = sum(loaded.bytes for other, loaded in self._resident.items() if self._leases[other] or other in names)
        absent = [name for name in names if name not in self._resident and name not in self._loading]
        return held + sum(self._loading.values()) + sum(map(self._measure, absent)) <= self._budget

    def _bytes(self, name: Wanted) -> int:
        return self._resident[name].bytes if name in self._resident else self._measure(name)

    def _evict_until(self, most_bytes: int) -> None:
        for name in list(self._resident):
            if self._resident_bytes() <= most_bytes:
                return
            if not self._leases[name]:
                del self._resident[name], self._leases[name]
                self._watch.holds(self._resident_bytes())

    def _resident_bytes(self) -> int:
        return sum(loaded.bytes for loaded in self._resident.values())


def _words(name: Wanted) -> str:
    match name:
        case NamedVae():
            return f"VAE {name.name}"
        case NamedControlnet():
            return f"ControlNet {name.name}"
    return f"model {name}"
