"""Looking at spans that were recorded."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def named(recorded: InMemorySpanExporter, name: str) -> ReadableSpan:
    """The one span of this name."""
    (span,) = [span for span in recorded.get_finished_spans() if span.name == name]
    return span
