"""A service that darkroom asks about prompts and pictures, to begin one's own from.

    HOOK_TOKEN=... python examples/safety_hook.py 9100
    DARKROOM_SAFETY_HOOK_URL=http://127.0.0.1:9100/ DARKROOM_SAFETY_HOOK_TOKEN=...

What it finds is for show: `weapon` where a prompt has a word for one, and `dark` for how dark a picture is. A real one
asks a classifier or a service for moderation here. Needs `pip install pillow`, nothing of darkroom. The words that are
spoken are in docs/safety.md.
"""

import base64
import hmac
import io
import json
import os
import re
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image, ImageStat

VERSION = "example-1"
MOST_BYTES = 4 * 1024 * 1024
WEAPONS = re.compile(r"\b(gun|rifle|pistol|sword)s?\b", re.IGNORECASE)


def scores(question: dict[str, Any]) -> dict[str, float]:
    """By category, from 0 to 1. One that is not there was not looked for. A `ping` is asked to see who is there."""
    match question["kind"]:
        case "prompt":
            return {"weapon": 1.0 if WEAPONS.search(question["prompt"]) else 0.0}
        case "picture":
            with Image.open(io.BytesIO(base64.b64decode(question["image"]))) as picture:
                return {"dark": 1 - ImageStat.Stat(picture.convert("L")).mean[0] / 255}
    return {}


def handler_of(token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # so that connections are kept
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                return self._answer(413, {})
            question = self.rfile.read(int(length))
            if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {token}"):
                return self._answer(401, {})
            try:
                return self._answer(200, {"categories": scores(json.loads(question)), "version": VERSION})
            except (ValueError, KeyError, TypeError, OSError):
                return self._answer(400, {})

        def _answer(self, status: int, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status != 200:
                self.send_header("Connection", "close")  # what was not read is not the next question
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet: prompts and pictures are nobody's business."""

    return Handler


def main(port: int) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", port), handler_of(os.environ["HOOK_TOKEN"]))
    print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 9100)
