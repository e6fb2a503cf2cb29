"""LoRAs in memory, by the content of their files: loaded on a thread of their own, the latest used stay."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from time import perf_counter

from darkroom.catalog import Catalog
from darkroom.contract.plan import PlannedLora
from darkroom.errors import BrokenWeights, MissingWeights, UnknownLora
from darkroom.settings import Settings
from worker.models.lora import Lora, load_lora
from worker.models.placement import placement
from worker.models.watch import CacheWatch, Unwatched


class LoraCache:
    """Thread-safe. Holds at most `budget_bytes`; a LoRA that is dropped lives on with the requests that use it."""

    def __init__(self, load: Callable[[PlannedLora], Lora], budget_bytes: int, watch: CacheWatch | None = None) -> None:
        self._watch = watch or Unwatched()
        self._load = load
        self._budget = budget_bytes
        self._lock = Lock()
        self._resident: OrderedDict[str, Lora] = OrderedDict()
        self._loading: dict[str, Future[Lora]] = {}
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="darkroom-loras")

    def fetch(self, wanted: PlannedLora) -> Future[Lora]:
        """The LoRA, at once or when it is loaded; two callers never load it twice. Fails with: ModelError."""
        with self._lock:
            if wanted.sha256 in self._resident:
                self._resident.move_to_end(wanted.sha256)
                self._watch.hit()
                found: Future[Lora] = Future()
                found.set_result(self._resident[wanted.sha256])
                return found
            if wanted.sha256 not in self._loading:
                self._loading[wanted.sha256] = self._loader.submit(self._load_and_keep, wanted)
            return self._loading[wanted.sha256]

    def resident(self) -> tuple[str, ...]:
        """Hashes of what is in memory, least recently used first."""
        with self._lock:
            return tuple(self._resident)

    def evict(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._resident.clear()
            self._watch.holds(0)

    def close(self) -> None:
        """End the loading thread."""
        self._loader.shutdown(cancel_futures=True)

    def _load_and_keep(self, wanted: PlannedLora) -> Lora:
        began = perf_counter()
        try:
            lora = self._load(wanted)
        except BaseException:
            with self._lock:
                del self._loading[wanted.sha256]
            raise
        with self._lock:
            del self._loading[wanted.sha256]
            self._resident[wanted.sha256] = lora
            self._evict_until(self._budget)
            self._watch.loaded(perf_counter() - began)
            self._watch.holds(self._resident_bytes())
        return lora

    def _evict_until(self, most_bytes: int) -> None:
        while self._resident_bytes() > most_bytes:
            self._resident.popitem(last=False)

    def _resident_bytes(self) -> int:
        return sum(lora.bytes for lora in self._resident.values())


def no_loras() -> LoraCache:
    """A cache of an engine that has none."""

    def load(wanted: PlannedLora) -> Lora:
        raise MissingWeights(wanted.model, "this worker has no LoRA of that name")

    return LoraCache(load, 0)


def open_loras(settings: Settings, catalog: Catalog, watch: CacheWatch | None = None) -> LoraCache:
    """A cache that loads LoRAs of `catalog` in the precision of the models. Nothing is loaded yet.

    Raises: ConfigurationError for a device this machine lacks.
    """
    place = placement(settings)

    def load(wanted: PlannedLora) -> Lora:
        try:
            spec = catalog.loras.spec(wanted.model, "loras")
        except UnknownLora as error:
            raise MissingWeights(wanted.model, "this worker has no LoRA of that name") from error
        if spec.sha256 != wanted.sha256:
            raise BrokenWeights(wanted.model, "the LoRA has changed since this generation was planned")
        return load_lora(Path(spec.path), spec.sha256, place.device, place.dtype)

    return LoraCache(load, settings.lora_cache_bytes, watch)
