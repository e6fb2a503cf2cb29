"""Where Prometheus finds what a worker measures."""

from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import start_http_server
from prometheus_client.process_collector import ProcessCollector

from darkroom.log import get_logger
from darkroom.metrics import Metrics
from darkroom.settings import Settings

log = get_logger(__name__)


def expose(metrics: Metrics, settings: Settings) -> tuple[WSGIServer, Thread] | None:
    """Show `metrics`, and those of this process, on `metrics_port` of `host`; nowhere while that is unset.

    A port that is taken is no reason not to work: it is logged.
    """
    if settings.metrics_port is None:
        return None
    ProcessCollector(registry=metrics.registry)
    try:
        serving = start_http_server(settings.metrics_port, addr=settings.host, registry=metrics.registry)
    except OSError as error:
        log.error("metrics.hidden", port=settings.metrics_port, reason=error.strerror)
        return None
    log.info("metrics.shown", port=settings.metrics_port)
    return serving
