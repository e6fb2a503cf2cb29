"""An OpenTelemetry collector on loopback: takes OTLP over HTTP, and keeps the spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Told:
    """A span. Ids are hexadecimal; `parent` is empty for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    began: int
    ended: int
    failed: bool
    said: dict[str, Any]
    events: int


@dataclass
class Collector:
    """`hung`: whoever sends is left without an answer."""

    url: str
    spans: list[Told] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    hung: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def take(self, body: bytes) -> None:
        self.raw.append(body)
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(
                each.value.string_value for each in of_resource.resource.attributes if each.key == "service.name"
            )
            for scope in of_resource.scope_spans:
                self.spans += [_told(service, span) for span in scope.spans]

    def names(self) -> set[str]:
        return {span.name for span in self.spans}

    def only(self, name: str) -> Told:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def children(self, span: Told) -> set[str]:
        return {each.name for each in self.spans if each.parent == span.id}


def _told(service: str, span: Any) -> Told:
    return Told(
        service=service,
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        failed=span.status.code == 2,
        said={each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes},
        events=len(span.events),
    )


@contextmanager
def collecting() -> Iterator[Collector]:
    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.hung.is_set():
                collector.released.wait(30)
                return
            assert self.path == "/v1/traces"
            collector.take(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        collector.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
