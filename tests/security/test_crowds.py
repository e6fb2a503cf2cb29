"""More connections than there is room for."""

import json
import re
import socket

import pytest

from api import serve
from tests.fakes import fake_services
from tests.gateway import served


def test_one_connection_too_many_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "MAX_CONNECTIONS", 1)
    request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served(fake_services()) as address, socket.create_connection(address, timeout=5) as first:
        first.sendall(request)
        assert first.recv(65536).startswith(b"HTTP/1.1 200 ")
        with socket.create_connection(address, timeout=5) as second:
            second.sendall(request)
            received = b""
            while piece := second.recv(65536):
                received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        for header in (b"content-type: application/problem\\+json", b"retry-after: [12]", b"connection: close"):
            assert re.search(header, head.lower())
        assert b"x-content-type-options: nosniff" in head.lower()
        assert json.loads(body)["code"] == "over_capacity"
