"""Verify fetches pictures from URLs: of the public network, soon, and without telling what else there is."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from time import monotonic
from typing import Any

import httpx
import pytest

from darkroom.outbound import Guard
from tests.fakes import fake_services
from tests.gateway import client_of, problem_in
from tests.unit.provenance.making import encoded, shapes

VERIFY = "/api/v1/provenance/verify"
LOOPBACK = [ip_network("127.0.0.0/8")]
SECONDS = 2.0  # within which a URL is answered, however its server behaves

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def inner(host: str, port: int) -> list[str]:
    """A resolver by which every name leads to loopback."""
    return ["127.0.0.1"]


@asynccontextmanager
async def client_and_server(serve: Serve, **settings: Any) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A gateway that may reach a server on loopback, and the URL of a file there."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await serve(writer)
        except ConnectionError:
            pass  # the gateway has hung up
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        services = replace(fake_services(**settings), guard=Guard(LOOPBACK, [port], inner))
        async with client_of(services) as client:
            yield client, f"http://pictures.test:{port}/heart.png"


def file(data: bytes) -> Serve:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        await writer.drain()

    return serve


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3 * SECONDS)


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(60):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "pictures.test", "[::ffff:127.0.0.1]", "0x7f.1"])
async def test_nothing_knocks_on_an_inner_door(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        port, begun = listening.getsockname()[1], monotonic()
        services = replace(fake_services(), guard=Guard(ports=[port], resolver=inner))
        async with client_of(services) as client:
            answer = await client.post(VERIFY, json={"url": f"http://{host}:{port}/"})
        assert (answer.status_code, problem_in(answer)["code"]) == (422, "url_refused")
        assert monotonic() - begun < SECONDS
        with pytest.raises(BlockingIOError):
            listening.accept()


async def test_an_open_and_a_closed_inner_port_and_an_unknown_name_look_the_same(client: httpx.AsyncClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        hosts = (f"127.0.0.1:{listening.getsockname()[1]}", "127.0.0.1", "10.0.0.1:22", "name.invalid")
        answers = [await client.post(VERIFY, json={"url": f"http://{host}/"}) for host in hosts]
    told = [{**problem_in(answer), "instance": None} for answer in answers]
    assert told == told[:1] * len(hosts)


@pytest.mark.slow
@pytest.mark.parametrize("serve", [silent, dripping])
async def test_a_server_that_dawdles_is_given_up(serve: Serve) -> None:
    async with client_and_server(serve) as (client, url):
        begun = monotonic()
        answer = await client.post(VERIFY, json={"url": url})
        assert (answer.status_code, problem_in(answer)["code"]) == (422, "url_unreachable")
        assert monotonic() - begun < SECONDS


@pytest.mark.slow
async def test_a_picture_at_a_url_gets_the_verdict_of_one_that_is_sent() -> None:
    picture = encoded(shapes(64, 64))
    async with client_and_server(file(picture)) as (client, url):
        fetched = await client.post(VERIFY, json={"url": url})
        sent = await client.post(VERIFY, content=picture, headers={"Content-Type": "image/png"})
        assert fetched.status_code == 200, fetched.text
        assert fetched.json() == sent.json()


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"<title>An inner page</title>", 422, "bad_picture"), (b"", 422, "bad_picture"), (b"x" * 2000, 413, None)],
)
async def test_what_lies_there_and_is_no_picture_is_not_shown(data: bytes, status: int, code: str | None) -> None:
    async with client_and_server(file(data), max_body_bytes=1024) as (client, url):
        answer = await client.post(VERIFY, json={"url": url})
        assert (answer.status_code, problem_in(answer)["code"]) == (status, code or "payload_too_large")
        assert "inner" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 422),
        (b'{"url": 7}', 422),
        (b'{"url": ""}', 422),
        (b'{"url": "https://example.com/", "headers": {}}', 422),
        (b'{"url": "http://127.0.0.1/", "url": "http://127.0.0.1/"}', 422),
        (b'"https://example.com/"', 422),
        (b'{"url": ', 400),
        (b"", 400),
    ],
)
async def test_a_body_that_names_no_url_is_a_problem(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await client.post(VERIFY, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert problem_in(answer)["code"] not in ("url_refused", "url_unreachable")


async def test_the_document_tells_of_urls_and_how_they_fail(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()["paths"][VERIFY]["post"]
    schema = described["requestBody"]["content"]["application/json"]["schema"]
    assert (schema["required"], schema["additionalProperties"]) == (["url"], False)
    examples = described["responses"]["422"]["content"]["application/problem+json"]["examples"]
    assert {"url_refused", "url_unreachable"} <= set(examples)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(fake_services()) as client:
        yield client
