"""A server on loopback for what our own processes post: it answers, late, slowly or wrongly, as a test wants it."""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

Answer = Callable[[bytes], tuple[int, bytes]]


@dataclass
class Served:
    """Where it is, and what it was asked."""

    url: str
    asked: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)


@contextmanager
def served(
    answer: Answer,
    *,
    hold: Event | None = None,
    drip: float = 0.0,
    tls: ssl.SSLContext | None = None,
    encoding: str = "",
) -> Iterator[Served]:
    """Posts are answered by `answer`, which says status and body; with `hold`, not before it is set; a byte in `drip`
    seconds; as what is encoded so.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, hold, drip, encoding))
    if tls:
        # The handshake belongs to the thread that answers: one that fails is that thread's alone.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    stage: Served = server.RequestHandlerClass.stage  # type: ignore[attr-defined]
    stage.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stage
    finally:
        if hold:
            hold.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def _handler(answer: Answer, hold: Event | None, drip: float, encoding: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        stage = Served("")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.stage.asked.append(body)
            self.stage.headers.append({name.lower(): text for name, text in self.headers.items()})
            if hold:
                hold.wait(30)
            status, said = answer(body)
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            if encoding:
                self.send_header("content-encoding", encoding)
            self.end_headers()
            with suppress(OSError):  # whoever asked may have left
                for at in range(len(said)) if drip else ():
                    self.wfile.write(said[at : at + 1])
                    time.sleep(drip)
                self.wfile.write(b"" if drip else said)

        def log_message(self, *_: object) -> None: ...

    return Handler
