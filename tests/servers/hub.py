"""A hub of models on loopback, for the hub's own client: repositories are folders, each at one commit."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Hub:
    """`asked` are the paths that were asked for, in order; `tokens` the credentials that came along."""

    repositories: Mapping[str, Path]
    commit: str = "0123456789abcdef0123456789abcdef01234567"
    url: str = ""
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def files(self, repository: str) -> list[str]:
        folder = self.repositories[repository]
        return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


@contextmanager
def hub(repositories: Mapping[str, Path]) -> Iterator[Hub]:
    """Serves until the end of the block."""
    served = Hub(repositories)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"served": served}))
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    served: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self.wfile.write(self._answer())

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> bytes:
        """Send the head; the body, for whoever wants it."""
        path = self.path.partition("?")[0]
        self.served.asked.append(path)
        self.served.tokens.add(self.headers.get("Authorization", ""))
        answers = (self._in(repository, path) for repository in self.served.repositories)
        content = next((answer for answer in answers if answer is not None), None)
        self.send_response(404 if content is None else 200)
        if content is None:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("X-Repo-Commit", self.served.commit)
        self.send_header("ETag", f'"{hashlib.sha256(content or b"").hexdigest()}"')
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        return content or b""

    def _in(self, repository: str, path: str) -> bytes | None:
        """What a path is, if it is one of this repository."""
        folder, names = self.served.repositories[repository], self.served.files(repository)
        if path.startswith(f"/api/models/{repository}/tree/"):
            sizes = {name: (folder / name).stat().st_size for name in names}
            entries = [{"type": "file", "path": name, "size": size, "oid": "0" * 40} for name, size in sizes.items()]
            return json.dumps(entries).encode()
        if path.startswith(f"/api/models/{repository}"):
            siblings = [{"rfilename": name} for name in names]
            return json.dumps({"id": repository, "sha": self.served.commit, "siblings": siblings}).encode()
        name = path.removeprefix(f"/{repository}/resolve/").partition("/")[2]
        return (folder / name).read_bytes() if path.startswith(f"/{repository}/") and name in names else None
