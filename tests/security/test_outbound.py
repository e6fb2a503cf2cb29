"""URLs that strangers name reach no address that only we can reach."""

import asyncio
import socket
import threading
from ipaddress import ip_network

import pytest

from darkroom.errors import DarkroomError, PayloadTooLarge, UrlRefused, UrlUnreachable
from darkroom.outbound import Guard, Limits, fetch
from darkroom.outbound.resolver import AT_ONCE, OF_ONE

LIMITS = Limits(max_bytes=100, seconds=1.5)
LOOPBACK = [ip_network("127.0.0.0/8")]
INNER = """127.1 0 2130706433 0x7f000001 0177.0.0.1 0x7f.1 [::] [::1] [::ffff:127.0.0.1] [::ffff:169.254.169.254]
[::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::a9fe:a9fe] [2002:7f00:1::] [2001:0:7f00:1::] 192.0.0.192 168.63.129.16
224.0.0.1 100.100.100.200 [fd00:ec2::254] 169.254.170.2 10.0.0.1 192.168.0.1 172.16.0.1 [fe80::1] [ff02::1]
①②⑦.⓪.⓪.① 255.255.255.255"""
ODD = [
    "file:///etc/passwd", "gopher://8.8.8.8/", "data:text/html;base64,AA==", "http://u:p@8.8.8.8/", "http://",
    "http://127.0.0.1\\@example.com/", "http://8.8.8.8/a\r\nX: y", "http://8.8.8.8/" + "a" * 3000, "",
    "http://8.8.8.8:22/", "http://8.8.8.8:6379/", "HTTP://127.0.0.1/", "http://8.8.8.8:0/", "//8.8.8.8/",
    "http://xn--/", "http://xn--a-ecp.ru/",
]  # fmt: skip


@pytest.mark.parametrize("url", [*(f"http://{host}/" for host in INNER.split()), *ODD])
async def test_no_connection_is_made_for(url: str) -> None:
    class Nowhere(Guard):
        async def connect_tcp(self, host: str, port: int, *args: object, **options: object) -> object:  # type: ignore[override]
            await self.vetted(host, port)
            raise AssertionError("let through")

    with pytest.raises(UrlRefused):
        await fetch(url, LIMITS, Nowhere())


async def answered(reply: bytes, allow: bool = True) -> bytes:
    """What a fetch gets from a server on loopback that says `reply` and hangs up."""
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    async def rebinding(host: str, port: int) -> list[str]:
        nonlocal asked
        asked += 1
        return ["127.0.0.1"] if asked == 1 else ["10.0.0.1"]

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        guard = Guard(LOOPBACK if allow else (), ports=[port], resolver=rebinding)
        with await fetch(f"http://rebinding.test:{port}/a.png", LIMITS, guard) as file:
            assert asked == 1
            return file.read()


async def test_the_address_that_was_vetted_is_the_one_connected_to() -> None:
    assert await answered(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") == b"hi"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:6379/\r\nContent-Length: 0\r\n\r\n", UrlUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", UrlUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nx", UrlUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500, PayloadTooLarge),
        (b"SSH-2.0-OpenSSH\r\n", UrlUnreachable),
    ],
)
async def test_an_answer_that_is_no_file_is_a_refusal(reply: bytes, error: type[DarkroomError]) -> None:
    with pytest.raises(error):
        await answered(reply)


@pytest.mark.parametrize("addresses", [["8.8.8.8", "127.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"], []])
async def test_a_host_with_one_inner_address_is_refused_whole(addresses: list[str]) -> None:
    async def both(host: str, port: int) -> list[str]:
        return addresses

    with pytest.raises(UrlRefused):
        await Guard(resolver=both).vetted("both.test", 80)


async def test_a_name_of_loopback_is_refused() -> None:
    with pytest.raises(UrlRefused):
        await answered(b"", allow=False)


async def test_names_that_hang_hold_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    leave = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: leave.wait(10) or [])
    guard, soon = Guard(), Limits(max_bytes=1, seconds=0.1)
    try:
        fetches = [fetch(f"http://{index}.test/", soon, guard) for index in range(2 * AT_ONCE)]
        answers = await asyncio.gather(*fetches, return_exceptions=True)
        assert [type(answer) for answer in answers] == [UrlUnreachable] * 2 * AT_ONCE
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5) == "free"
    finally:
        leave.set()


async def test_a_tenant_whose_names_hang_holds_up_its_own_look_ups_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    leave, hanging = threading.Event(), 0

    def look_up(host: str, *_: object, **__: object) -> list[object]:
        nonlocal hanging
        if host == "slow.test":
            hanging += 1
            leave.wait(10)
        return [(0, 0, 0, "", ("8.8.8.8", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    guard, soon = Guard(), Limits(max_bytes=1, seconds=0.1)
    alice, bob = guard.on_behalf_of("alice"), guard.on_behalf_of("bob")
    try:
        for _ in range(2):  # those given up hold their threads
            fetches = [fetch("http://slow.test/", soon, alice) for _ in range(AT_ONCE)]
            answers = await asyncio.gather(*fetches, return_exceptions=True)
            assert [type(answer) for answer in answers] == [UrlUnreachable] * AT_ONCE
        assert hanging == OF_ONE
        assert await asyncio.wait_for(bob.vetted("quick.test", 80), 5) == ("8.8.8.8",)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(alice.vetted("quick.test", 80), 0.05)
        leave.set()
        assert await asyncio.wait_for(alice.vetted("quick.test", 80), 5) == ("8.8.8.8",)
    finally:
        leave.set()
