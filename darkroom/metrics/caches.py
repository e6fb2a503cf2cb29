"""Weights in a worker's memory: how often they were there, and what it took to bring them."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from darkroom.metrics.registered import SLOW, Registered


class CacheMetrics(Registered):
    """By cache: `models` has VAEs and ControlNets as well, `loras` has LoRAs."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.cache_hits = Counter(
            "darkroom_cache_hits", "Times that weights were in memory already.", ("cache",), registry=self.registry
        )
        self.cache_loads = Histogram(
            "darkroom_cache_load_duration_seconds",
            "Time in which weights were brought into memory.",
            ("cache",),
            buckets=SLOW,
            registry=self.registry,
        )
        self.cache_bytes = Gauge(
            "darkroom_cache_size_bytes", "Weights in memory, in use or not.", ("cache",), registry=self.registry
        )

    def cache(self, name: str) -> "OneCache":
        """Where one cache says how it fares."""
        return OneCache(self, name)


@dataclass(frozen=True)
class OneCache:
    """One cache's own of the instruments; for any thread."""

    metrics: CacheMetrics
    name: str

    def hit(self) -> None:
        """Something was there."""
        self.metrics.cache_hits.labels(self.name).inc()

    def loaded(self, seconds: float) -> None:
        """Something was brought in."""
        self.metrics.cache_loads.labels(self.name).observe(seconds)

    def holds(self, size: int) -> None:
        """So many bytes are there now."""
        self.metrics.cache_bytes.labels(self.name).set(size)
