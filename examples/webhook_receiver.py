"""A receiver of webhooks that takes nothing unverified, nothing twice, and answers before it works.

    WEBHOOK_SECRET=whsec_... python examples/webhook_receiver.py 9000

Then ask for a picture with `"webhook_url": "http://HOST:9000/"`; the service has to be let go there
(`DARKROOM_OUTBOUND_ALLOW`, `DARKROOM_OUTBOUND_PORTS`). The secret is what `darkroom webhook-secret` printed, or on
one's own machine what `~/.darkroom/webhook.secret` holds. Needs `pip install standardwebhooks`, nothing of darkroom.
"""

import os
import queue
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MOST_BYTES = 1024 * 1024
MOST_KEPT = 10_000  # ids of messages, by which one that comes again is known

Message = dict[str, Any]


class Inbox:
    """Messages that were verified, each once. A real one would be a table, with the id as its key."""

    def __init__(self, secret: str) -> None:
        self._verifier = Webhook(secret)
        self._seen: dict[str, None] = {}
        self._lock = threading.Lock()
        self.waiting: queue.Queue[Message] = queue.Queue()

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        """Keep a message, unless it is one that was had before. Raises: WebhookVerificationError."""
        message: Message = self._verifier.verify(body, headers)
        with self._lock:
            if headers["webhook-id"] in self._seen:
                return
            self._seen[headers["webhook-id"]] = None
            if len(self._seen) > MOST_KEPT:
                del self._seen[next(iter(self._seen))]
        self.waiting.put(message)


def handler_of(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 15

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                return self._answer(413)
            try:
                # The bytes as they came: parsed and written again, they would have another signature.
                inbox.take(self.rfile.read(int(length)), {name.lower(): value for name, value in self.headers.items()})
            except WebhookVerificationError:
                return self._answer(401)
            return self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet: addresses may hold tokens."""

    return Handler


def work(message: Message) -> None:
    """What is to be done; the receiver has answered long before."""
    generation = message["data"]
    for image in generation["images"]:
        print(message["type"], generation["id"], image["url"], flush=True)
    if generation["failure"]:
        print(message["type"], generation["id"], generation["failure"]["code"], flush=True)


def main(port: int) -> None:
    inbox = Inbox(os.environ["WEBHOOK_SECRET"])
    server = ThreadingHTTPServer(("127.0.0.1", port), handler_of(inbox))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
    while True:
        work(inbox.waiting.get())


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 9000)
