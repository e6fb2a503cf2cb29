"""Where Prometheus finds what a process without a gateway measures."""

from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import start_http_server
from prometheus_client.process_collector import ProcessCollector

from darkroom.log import get_logger
from darkroom.metrics import Metrics

log = get_logger(__name__)


def expose(metrics: Metrics, host: str, port: int | None) -> tuple[WSGIServer, Thread] | None:
    """Show `metrics`, and those of this process, on `port` of `host`; nowhere without one.

    A port that is taken is no reason not to work: it is logged.
    """
    if port is None:
        return None
    ProcessCollector(registry=metrics.registry)
    try:
        serving = start_http_server(port, addr=host, registry=metrics.registry)
    except OSError as error:
        log.error("metrics.hidden", port=port, reason=error.strerror)
        return None
    metrics.shown = True
    log.info("metrics.shown", port=port)
    return serving
