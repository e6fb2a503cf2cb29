"""Every instrument of the service, in one place, on a registry of its own.

Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters, bounded labels only. A
tenant is a bounded label because the operator names the tenants; a route is the pattern, never the path.
"""

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from darkroom.metrics.caches import CacheMetrics, OneCache
from darkroom.metrics.devices import DeviceMetrics
from darkroom.metrics.finishing import FinishMetrics
from darkroom.metrics.jobs import JobMetrics
from darkroom.metrics.requests import RequestMetrics
from darkroom.metrics.safety import SafetyMetrics
from darkroom.metrics.spans import SpanMetrics
from darkroom.metrics.stores import StoreMetrics
from darkroom.metrics.webhooks import WebhookMetrics

__all__ = ["CONTENT_TYPE", "Metrics", "OneCache"]

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics(
    RequestMetrics,
    JobMetrics,
    DeviceMetrics,
    CacheMetrics,
    FinishMetrics,
    StoreMetrics,
    WebhookMetrics,
    SafetyMetrics,
    SpanMetrics,
):
    """What one process measures. A process shows only what it touches: unlabelled children appear with first use."""

    def render(self) -> bytes:
        """The text Prometheus scrapes, of type `CONTENT_TYPE`."""
        return generate_latest(self.registry)
