"""Where a gateway is and how it is spoken to: what both clients are made from, and foreign errors as ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

import darkroom
from darkroom.client.errors import ClientError, GatewayAway, UnexpectedAnswer
from darkroom.client.steps import Answer, Request

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_TIMEOUT = 35.0
DEFAULT_RETRIES = 3
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Place:
    """`key` is in no representation, so that it is in no traceback."""

    url: str
    timeout: float
    options: dict[str, Any]

    def __repr__(self) -> str:
        return f"Place({self.url!r})"


def place_of(url: str | None, api_key: str | None, timeout: float) -> Place:
    """What is left out is taken from DARKROOM_URL and DARKROOM_API_KEY. Raises: ClientError."""
    where = _checked_url(url or os.environ.get("DARKROOM_URL") or DEFAULT_URL)
    key = (api_key if api_key is not None else os.environ.get("DARKROOM_API_KEY", "")).strip()
    if not (key.isascii() and key.isprintable()):
        raise ClientError("the API key has characters that no key has", code="invalid_key")
    headers = {"User-Agent": f"darkroom/{darkroom.__version__}"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    options = {"base_url": where, "headers": headers, "timeout": patience(timeout), "follow_redirects": True}
    return Place(where, timeout, options)


def patience(timeout: float, silence: float | None = None) -> httpx.Timeout:
    """`silence`: how long nothing may come from a gateway that has been reached, if that is another."""
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS), read=timeout if silence is None else silence)


def _checked_url(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ClientError(f"{url!r} is no URL", code="invalid_url") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ClientError(f"{url!r} is no http or https URL", code="invalid_url")
    return url.rstrip("/")


def arguments(request: Request) -> dict[str, Any]:
    """A request as httpx builds it."""
    given = {"params": request.params or None, "json": request.json, "content": request.content}
    return {
        "method": request.method,
        "url": request.path,
        "headers": dict(request.headers),
        **{name: value for name, value in given.items() if value is not None},
    }


def answer_of(response: httpx.Response, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(str(response.request.url), response.status_code, headers, body)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """httpx's errors as ours. Those of a stream come from reading it, so reading it is inside as well."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise GatewayAway(f"nothing answers at {url}: is `darkroom up` running?", unsent=True) from error
    except httpx.TransportError as error:
        raise GatewayAway(f"{url}: {str(error) or type(error).__name__}") from error
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise UnexpectedAnswer(f"{url}: {str(error) or type(error).__name__}") from error
