"""The proxy does to connections what it says: what is tested through it stands on that."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.servers.tcp_proxy import TcpProxy, tcp_proxy


class Echo:
    """A server that sends back what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                while data := sock.recv(65536):
                    self.heard += data
                    sock.sendall(data)
            except OSError:
                pass

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[TcpProxy]:
    with tcp_proxy(echo.port) as proxy:
        yield proxy


@pytest.fixture
def caller(proxy: TcpProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=2) as sock:
        assert asked(sock, b"before") == b"before"
        yield sock


def asked(sock: socket.socket, data: bytes) -> bytes:
    sock.sendall(data)
    return sock.recv(65536)


def again(proxy: TcpProxy) -> bytes:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=2) as sock:
        return asked(sock, b"again")


def test_a_cut_resets_what_is_open_and_what_comes_until_it_is_mended(proxy: TcpProxy, caller: socket.socket) -> None:
    proxy.cut()
    with pytest.raises(ConnectionError):
        caller.recv(1)
    with pytest.raises(ConnectionError):
        again(proxy)
    proxy.pass_on()
    assert again(proxy) == b"again"


def test_a_black_hole_takes_everything_and_says_nothing(proxy: TcpProxy, caller: socket.socket, echo: Echo) -> None:
    proxy.black_hole()
    caller.settimeout(0.1)
    with pytest.raises(TimeoutError):
        asked(caller, b"lost")
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=0.1) as late, pytest.raises(TimeoutError):
        asked(late, b"lost")
    assert b"lost" not in echo.heard
    proxy.pass_on()
    with pytest.raises(ConnectionError):
        caller.recv(1)
    assert again(proxy) == b"again"


def test_a_lost_reply_hides_a_request_that_arrived(proxy: TcpProxy, caller: socket.socket, echo: Echo) -> None:
    proxy.lose_replies(1)
    with pytest.raises(ConnectionError):
        asked(caller, b"done")
    assert echo.heard == b"beforedone"
    assert again(proxy) == b"again"


def test_a_delay_is_added_both_ways(proxy: TcpProxy, caller: socket.socket) -> None:
    proxy.delay(0.05)
    began = time.monotonic()
    assert asked(caller, b"later") == b"later"
    assert 0.1 <= time.monotonic() - began < 1


def test_who_closes_is_heard_to_close_on_the_other_side(proxy: TcpProxy, caller: socket.socket) -> None:
    caller.shutdown(socket.SHUT_WR)
    assert caller.recv(1) == b""


def test_an_upstream_that_is_not_there_is_a_closed_connection(proxy: TcpProxy, echo: Echo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        proxy.upstream = gone.getsockname()[1]
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=2) as sock:
        assert sock.recv(1) == b""
