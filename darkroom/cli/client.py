"""The gateway as the command line uses it: a few calls over HTTP, every failure in the user's words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from darkroom.cli.console import CommandFailed
from darkroom.errors import UnavailableError

# A silent event stream is pinged every 15 s: twice that without a byte means the gateway is gone.
_READ_SECONDS = 35.0


@dataclass(frozen=True)
class Event:
    """One thing that happened to a generation. `data` of `progress` is `step` and `steps`."""

    id: str
    name: str
    data: dict[str, Any]


class Client:
    """A gateway at `url`. Use as a context manager."""

    def __init__(self, url: str, api_key: str | None = None, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        timeout = httpx.Timeout(10.0, read=_READ_SECONDS)
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def submit(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask for a generation. Returns its record, queued. Raises: CommandFailed when refused, UnavailableError."""
        return self._json("POST", "/api/v1/generations", json=request)

    def upload(self, data: bytes) -> str:
        """Keep a picture with the gateway, under the id that generations may name."""
        headers = {"content-type": media_type_of(data)}
        return str(self._json("POST", "/api/v1/assets", content=data, headers=headers)["id"])

    def asset(self, asset_id: str) -> bytes:
        """The bytes of a picture that the gateway keeps."""
        return self._bytes(f"/api/v1/assets/{asset_id}")

    def preprocess(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask for a control map. Returns where it stands. Raises: CommandFailed when refused, UnavailableError."""
        return self._json("POST", "/api/v1/preprocess", json=request)

    def preprocessing(self, job_id: str) -> dict[str, Any]:
        """Where a control map stands now."""
        return self._json("GET", f"/api/v1/preprocess/{job_id}")

    def generation(self, job_id: str) -> dict[str, Any]:
        """The record of a generation as it is now."""
        return self._json("GET", f"/api/v1/generations/{job_id}")

    def cancel(self, job_id: str) -> dict[str, Any]:
        """End a generation. Returns its record; one that had ended before is as it was."""
        return self._json("DELETE", f"/api/v1/generations/{job_id}")

    def unserved(self) -> list[str]:
        """Models that no worker serves now."""
        models: list[str] = self._json("GET", "/readyz")["unserved"]
        return models

    def events(self, job_id: str, after: str = "") -> Iterator[Event]:
        """What happens to a generation after the event `after`, until it ends or the gateway lets go of us."""
        path, headers = f"/api/v1/generations/{job_id}/events", {"last-event-id": after} if after else {}
        with self._translated(), self._http.stream("GET", path, headers=headers) as response:
            if response.is_error:
                response.read()
                raise _refusal(response)
            yield from parse_events(response.iter_lines())

    def picture(self, job_id: str, index: int) -> bytes:
        """The bytes of one picture of a finished generation."""
        return self._bytes(f"/api/v1/generations/{job_id}/images/{index}")

    def verify(self, data: bytes) -> dict[str, Any]:
        """What the gateway can prove about these bytes."""
        headers = {"content-type": media_type_of(data)}
        return self._json("POST", "/api/v1/provenance/verify", content=data, headers=headers)

    def verify_url(self, url: str) -> dict[str, Any]:
        """What the gateway can prove about the picture at this URL, which it fetches itself."""
        return self._json("POST", "/api/v1/provenance/verify", json={"url": url})

    def _bytes(self, path: str) -> bytes:
        with self._translated():
            response = self._http.get(path, follow_redirects=True)
        if response.is_error:
            raise _refusal(response)
        return response.content

    def _json(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        with self._translated():
            response = self._http.request(method, path, **how)
        if response.is_error:
            raise _refusal(response)
        answer: dict[str, Any] = response.json()
        return answer

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError as error:
            raise UnavailableError(f"nothing answers at {self.url}: is `darkroom up` running?") from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise UnavailableError(f"{self.url}: {error or type(error).__name__}") from error


def parse_events(lines: Iterator[str]) -> Iterator[Event]:
    """Server-sent events of a stream of lines (WHATWG HTML, section 9.2.6), whose data is one `JobEvent` in JSON."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"])["data"])
            fields = {}


def media_type_of(data: bytes) -> str:
    """The media type a picture's first bytes announce; anything else is left for the gateway to refuse."""
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/webp" if data[8:12] == b"WEBP" else "application/octet-stream"


def _refusal(response: httpx.Response) -> CommandFailed:
    """The problem document of an error response (RFC 9457) as one sentence."""
    try:
        problem = response.json()
        words = f"{problem['detail']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        words = f"HTTP {response.status_code} from {response.request.url}"
    return CommandFailed(words)
