"""Commands that talk to a gateway that is written down."""

from collections.abc import Callable

import httpx
import pytest

from darkroom.cli import gateway
from darkroom.client import AsyncClient, Client

Handler = Callable[[httpx.Request], httpx.Response]


def answered_by(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a command asks of a gateway comes to `handler`."""

    def connect(url: str, api_key: str | None, *, retries: int = 0) -> Client:
        return Client(url, api_key, retries=0, transport=httpx.MockTransport(handler))

    def connect_async(url: str, api_key: str | None, *, retries: int = 0) -> AsyncClient:
        return AsyncClient(url, api_key, retries=0, transport=httpx.MockTransport(handler))

    monkeypatch.setattr(gateway, "connect", connect)
    monkeypatch.setattr(gateway, "connect_async", connect_async)
