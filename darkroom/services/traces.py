"""Where spans go: to a collector, by OTLP over HTTP, beside the work and never before it.

Spans wait in a queue of bounded length and are sent by a thread of their own. What finds no room there is dropped, and
so is what a collector does not take: nothing here is worth a request's time. How much that is, is counted.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Final

from darkroom import tracing
from darkroom.errors import ConfigurationError
from darkroom.log import get_logger
from darkroom.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from darkroom.services.span_queue import SpanQueue

EXPORT_SECONDS: Final = 3.0  # for one batch, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise
LAST_SECONDS: Final = 3.0  # that a process which ends gives its last spans

log = get_logger(__name__)


@contextmanager
def traces(settings: Settings, service: str) -> Iterator[None]:
    """Spans made inside are sent, where settings say where to. Raises: ConfigurationError without the SDK, or for
    variables of its own that it cannot start with."""
    if settings.otlp_endpoint is None:
        yield
        return
    try:
        provider, queue = _provider(settings.otlp_endpoint, service)
    except ValueError as error:
        raise ConfigurationError(f"OpenTelemetry's own variables, OTEL_...: {error}") from error
    tracing.record_with(provider.get_tracer("darkroom"))
    log.info("traces.sent")
    try:
        yield
    finally:
        # A collector that hangs must not keep the process: the thread is a daemon.
        last = Thread(target=provider.shutdown, name="traces", daemon=True)
        last.start()
        last.join(LAST_SECONDS)
        queue.give_up()


def _provider(endpoint: str, service: str) -> "tuple[TracerProvider, SpanQueue]":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        from darkroom.services.span_queue import Losses, SpanQueue
    except ImportError as error:
        raise ConfigurationError(
            "DARKROOM_OTLP_ENDPOINT is set, and OpenTelemetry's SDK is not installed: pip install 'darkroom[traces]'"
        ) from error
    # Their own lines quote URLs and answers, and come with every batch; ours say the same once.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    seconds = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else EXPORT_SECONDS
    sender = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=seconds)
    provider = TracerProvider(resource=Resource.create({"service.name": f"darkroom-{service}"}), shutdown_on_exit=False)
    queue = SpanQueue(sender, Losses())
    provider.add_span_processor(queue)
    return provider, queue
