"""Calls to the store of pictures."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from darkroom.metrics.registered import FAST, Registered


class StoreMetrics(Registered):
    """Of what was asked of the store, and what came of it. Calls that a breaker refused were not made."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.store_calls = Counter(
            "darkroom_store_calls",
            "Calls to the store, by outcome: ok, absent, unavailable or error.",
            ("operation", "outcome"),
            registry=self.registry,
        )
        self.store_seconds = Histogram(
            "darkroom_store_call_duration_seconds",
            "Time of one call to the store.",
            ("operation",),
            buckets=FAST,
            registry=self.registry,
        )

    def stored(self, operation: str, outcome: str, seconds: float) -> None:
        """Count one call to the store."""
        self.store_calls.labels(operation, outcome).inc()
        self.store_seconds.labels(operation).observe(seconds)
