"""Callers that open a connection and then take their time."""

import select
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from api import body, connections, serve
from tests.fakes import fake_services
from tests.gateway import served

pytestmark = pytest.mark.timed

Address = tuple[str, int]

HALVES = [
    b"",
    b"GET /livez HT",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Half: ",
    b"POST /api/v1/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100\r\n\r\n{",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HT",
]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.3)
    monkeypatch.setattr(serve, "KEEP_ALIVE_SECONDS", 1)
    monkeypatch.setattr(body, "IDLE_SECONDS", 0.3)
    with served(fake_services()) as address:
        yield address


@pytest.mark.slow
@pytest.mark.parametrize("half", HALVES)
def test_half_a_request_is_not_waited_for(address: Address, half: bytes) -> None:
    with socket.create_connection(address, timeout=3) as sock:
        sock.sendall(half)
        started = time.monotonic()
        while sock.recv(65536):
            pass
        assert time.monotonic() - started < 2


def test_a_trickle_of_header_bytes_does_not_put_the_deadline_off(address: Address) -> None:
    with socket.create_connection(address, timeout=3) as sock:
        started = time.monotonic()
        while not hung_up(sock) and time.monotonic() - started < 3:
            sock.sendall(b"G")
            time.sleep(0.05)
        assert time.monotonic() - started < 2


def hung_up(sock: socket.socket) -> bool:
    """Whether the other side has closed; a socket that is merely silent has nothing to read."""
    readable, _, _ = select.select([sock], [], [], 0)
    return bool(readable)


@pytest.mark.slow
def test_a_crowd_of_them_does_not_keep_others_out(address: Address) -> None:
    crowd = [socket.create_connection(address, timeout=3) for _ in range(200)]
    try:
        for sock, half in zip(crowd, HALVES * 40, strict=True):
            sock.sendall(half)
        for _ in range(20):
            answer = httpx.get(f"http://127.0.0.1:{address[1]}/livez", trust_env=False, timeout=2)
            assert answer.status_code == 200
    finally:
        for sock in crowd:
            sock.close()


@pytest.mark.slow
def test_a_kept_connection_may_be_used_again_and_again(address: Address) -> None:
    """The deadline for a head ends with the head: it must not cut the answers that follow."""
    with httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", trust_env=False) as client:
        for _ in range(3):
            assert client.get("/livez").status_code == 200
            time.sleep(0.15)
        waiting = client.post("/api/v1/generations", json={"prompt": "a"}, headers={"Prefer": "wait=1"}, timeout=5)
    assert waiting.status_code == 202
