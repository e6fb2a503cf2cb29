"""Traces: how much of them nobody will see."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from darkroom import tracing
from darkroom.metrics.registered import Registered


class SpanMetrics(Registered):
    """A process has one tracer, whatever else of it is built anew: these counts are the process's."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.registry.register(_Lost())


class _Lost(Collector):
    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "darkroom_spans_dropped",
            "Spans that came to no collector: more waited than may (`queue_full`), or they were `not_taken`.",
            labels=("reason",),
        )
        for reason, spans in tracing.lost().items():
            family.add_metric((reason,), spans)
        yield family
