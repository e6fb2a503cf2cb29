"""Bytes that broke others, sent over a real socket: each gets a 4xx problem that does not repeat them."""

import contextlib
import select
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.fakes import fake_services
from tests.gateway import GENERATIONS, problem_in, served

VERIFY = "/api/v1/provenance/verify"
CANARY = b"canary-in-the-coal-mine"
JSON = "application/json"
MIB = 1024 * 1024

Address = tuple[str, int]


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    with served(fake_services(max_body_bytes=4 * MIB)) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: Address) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", trust_env=False, timeout=10) as client:
        yield client


REQUESTS = {
    "NaN": (b'{"prompt":"%s","guidance_scale":NaN}', 422),
    "Infinity": (b'{"prompt":"%s","guidance_scale":-Infinity}', 422),
    "a float beyond doubles": (b'{"prompt":"%s","guidance_scale":1e999}', 422),
    "a seed beyond doubles": (b'{"prompt":"%s","seed":1e400}', 422),
    "a seed of 5,000 digits": (b'{"prompt":"%s","seed":' + b"7" * 5000 + b"}", 422),
    "a seed beyond 64 bits": (b'{"prompt":"%s","seed":18446744073709551616}', 422),
    "a negative seed": (b'{"prompt":"%s","seed":-1}', 422),
    "half a pair in a value": (b'{"prompt":"%s\\ud800"}', 422),
    "half a pair in a key": (b'{"prompt":"%s","\\udfff":1}', 422),
    "half a pair in metadata": (b'{"prompt":"%s","metadata":{"\\ud800":"a"}}', 422),
    "half a pair in a list": (b'["%s\\ud800"]', 422),
    "NUL in a prompt": (b'{"prompt":"%s\\u0000"}', 422),
    "a million brackets": (b"[" * MIB, 400),
    "a hundred thousand objects": (b'{"%s":' + b'{"a":' * 100_000, 400),
    "more values than anybody needs": (b'{"prompt":"%s","x":[' + b"0," * 200_000 + b"0]}", 400),
    "a hundred thousand unknown keys": (
        b'{"prompt":"%s",' + b",".join(b'"k%d":0' % index for index in range(60_000)) + b"}",
        400,
    ),
    "three megabytes of numbers": (b'{"prompt":"%s","x":[' + b"0," * 1_500_000 + b"0]}", 400),
    "a picture that is none": (b'{"prompt":"a","image":"%s"}', 422),
    "a picture of no bytes": (b'{"prompt":"%s","image":"="}', 422),
    "a picture elsewhere": (b'{"prompt":"a","image":"http://169.254.169.254/%s"}', 422),
    "a picture in a file": (b'{"prompt":"a","image":"file:///etc/%s"}', 422),
    "no mask": (b'{"prompt":"%s","task":"inpaint","image":"AAAA"}', 422),
    "a task nobody does": (b'{"prompt":"a","task":"%s"}', 422),
    "a task that is no text": (b'{"prompt":"%s","task":{}}', 422),
    "no growth": (b'{"prompt":"%s","image":"AAAA","expand":{}}', 422),
    "strength beyond all": (b'{"prompt":"%s","image":"AAAA","strength":1.5}', 422),
    "bytes that are not UTF-8": (b'{"prompt":"%s\xff"}', 400),
    "surrogates in UTF-8": (b'{"prompt":"%s\xed\xa0\x80"}', 400),
    "UTF-16": ('{"prompt":"x"}'.encode("utf-16"), 400),
    "nothing": (b"", 400),
    "no object": (b'"%s"', 422),
    "two objects": (b'{"prompt":"%s"}{"prompt":"b"}', 400),
    "a key twice": (b'{"prompt":"%s","steps":1,"steps":150}', 422),
    "a key twice, spelled differently": (b'{"prompt":"%s","\\u0070rompt":"b"}', 422),
    "true for a number": (b'{"prompt":"%s","steps":true}', 422),
    "text for a number": (b'{"prompt":"%s","steps":"20"}', 422),
    "null for text": (b'{"prompt":null,"negative_prompt":"%s"}', 422),
    "an unknown field": (b'{"prompt":"%s","nsfw_bypass":1}', 422),
    "an unknown model": (b'{"prompt":"%s","model":"none-such"}', 422),
    "a model that is a path": (b'{"prompt":"%s","model":"../../etc/passwd"}', 422),
    "a model with NUL": (b'{"prompt":"%s","model":"tiny\\u0000"}', 422),
    "an unknown scheduler": (b'{"prompt":"%s","scheduler":"magic"}', 422),
    "a size off the grid": (b'{"prompt":"%s","width":129}', 422),
    "a size beyond reason": (b'{"prompt":"%s","width":8192,"height":8192}', 422),
    "no pixels": (b'{"prompt":"%s","width":0}', 422),
    "more images than anybody needs": (b'{"prompt":"%s","n":64}', 422),
    "a prompt too long": (b'{"prompt":"%s' + b"x" * 20_000 + b'"}', 422),
    "a prompt beyond the body's limit": (b'{"prompt":"%s' + b"x" * 5 * MIB + b'"}', 413),
    "metadata beyond counting": (
        b'{"prompt":"%s","metadata":{' + b",".join(b'"k%d":"v"' % index for index in range(17)) + b"}}",
        422,
    ),
    "markup for a key": (b'{"prompt":"%s","<img src=x onerror=alert(1)>":1}', 422),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_hostile_request_is_a_problem_that_does_not_repeat_it(client: httpx.Client, name: str) -> None:
    template, status = REQUESTS[name]
    answer = client.post(GENERATIONS, content=template.replace(b"%s", CANARY), headers={"Content-Type": JSON})
    assert answer.status_code == status, answer.text
    problem_in(answer)
    assert CANARY not in answer.content
    assert b"onerror" not in answer.content
    assert len(answer.content) < 4096
    assert answer.elapsed.total_seconds() < 2


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
def test_what_a_page_may_send_unasked_is_not_taken_for_json(client: httpx.Client, media_type: str) -> None:
    answer = client.post(GENERATIONS, content=b'{"prompt":"a"}', headers={"Content-Type": media_type})
    assert answer.status_code == 415
    problem_in(answer)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "zstd", "identity, gzip"])
def test_compressed_bodies_are_not_inflated(client: httpx.Client, coding: str) -> None:
    answer = client.post(
        GENERATIONS, content=b"\x1f\x8b" + b"\0" * 100, headers={"Content-Type": JSON, "Content-Encoding": coding}
    )
    assert answer.status_code == 415
    problem_in(answer)


def part(name: bytes, data: bytes, boundary: bytes = b"b", extra: bytes = b"") -> bytes:
    head = b'Content-Disposition: form-data; name="' + name + b'"; filename="x.png"\r\n' + extra
    return b"--" + boundary + b"\r\n" + head + b"\r\n" + data + b"\r\n"


# name -> (boundary, body, status)
FORMS = {
    "ten thousand parts": (b"b", part(b"x", b"") * 10_000 + b"--b--\r\n", 400),
    "ten thousand fields": (
        b"b",
        b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 10_000 + b"--b--\r\n",
        400,
    ),
    "two files": (b"b", part(b"file", b"x") * 2 + b"--b--\r\n", 400),
    "a boundary that fills the head": (b"b" * 14_000, part(b"file", b"x", b"b" * 14_000), 400),
    "a huge part header": (b"b", part(b"file", b"x", extra=b"X-Y: " + b"z" * MIB + b"\r\n"), 400),
    "ten thousand part headers": (b"b", part(b"file", b"x", extra=b"X: y\r\n" * 10_000) + b"--b--\r\n", 400),
    "a big preamble": (b"b", b"\r\n" * MIB + part(b"file", b"x") + b"--b--\r\n", 422),
    "a body that is almost the boundary, again and again": (b"b" * 70, (b"\r\n--" + b"b" * 69 + b"x") * 50_000, 400),
    "no end": (b"b", part(b"file", b"x")[:-10], 422),
    "no name": (b"b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", 400),
    "no disposition": (b"b", b"--b\r\nX: y\r\n\r\nx\r\n--b--\r\n", 400),
    "no parts": (b"b", b"--b--\r\n", 422),
    "nothing": (b"b", b"", 422),
    "a field too long": (
        b"b",
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + b"x" * MIB + b"\r\n--b--\r\n",
        400,
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_hostile_form_is_a_problem_within_a_second(client: httpx.Client, name: str) -> None:
    boundary, body, status = FORMS[name]
    answer = client.post(
        VERIFY, content=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
    )
    assert answer.status_code == status, answer.text
    problem_in(answer)
    assert answer.elapsed.total_seconds() < 1


@pytest.mark.parametrize("media_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed"])
def test_a_form_without_a_boundary_is_a_problem(client: httpx.Client, media_type: str) -> None:
    answer = client.post(VERIFY, content=part(b"file", b"x"), headers={"Content-Type": media_type})
    assert answer.status_code in (400, 415)
    problem_in(answer)


PICTURES = {
    "nothing": b"",
    "text": b"hello",
    "markup": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "a GIF": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    "a TIFF": b"II*\x00\x08\x00\x00\x00\x00\x00",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "a bomb of 65535 by 65535": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff\x00\x00\xff\xff"
    b"\x08\x02\x00\x00\x00\x18\x1d\x1b\xa0\x00\x00\x00\x00IEND\xaeB`\x82",
    "a PNG's head": b"\x89PNG\r\n\x1a\n",
    "a JPEG's head": b"\xff\xd8\xff\xe0",
    "a WebP's head": b"RIFF\xff\xff\xff\xffWEBPVP8 ",
}


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_no_picture_is_a_problem(client: httpx.Client, name: str) -> None:
    answer = client.post(VERIFY, content=PICTURES[name], headers={"Content-Type": "image/png"})
    assert answer.status_code in (400, 422), answer.text
    problem_in(answer)
    assert answer.elapsed.total_seconds() < 2


def test_ranges_beyond_counting_cost_nothing(client: httpx.Client) -> None:
    answer = client.get("/livez", headers={"Range": "bytes=" + "0-," * 4000})
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() < 0.5


def exchange(address: Address, data: bytes, timeout: float = 5.0) -> bytes:
    """Send bytes, return all that comes back until the other side closes or falls silent."""
    with socket.create_connection(address, timeout=timeout) as sock:
        sock.sendall(data)
        received = b""
        try:
            while piece := sock.recv(65536):
                received += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return received


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /api/v1/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v1/generations HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\nHost: localhost\nX: \0\n\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 40_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\r\nnonsense\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_not_http_is_a_problem_and_the_end_of_the_connection(address: Address, head: bytes) -> None:
    received = exchange(address, head)
    status = int(received.split(b" ", 2)[1])
    assert 400 <= status < 500, received
    assert b"application/problem+json" in received
    assert b"evil" not in received


@pytest.mark.slow
def test_an_endless_body_is_cut_off(address: Address) -> None:
    head = b"POST /api/v1/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    received = b""
    with socket.create_connection(address, timeout=5) as sock:
        sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):  # they hung up
            while time.monotonic() - started < 10:
                received += received_by_now(sock)
                sock.sendall(chunk)
        assert time.monotonic() - started < 5
    assert received.startswith(b"HTTP/1.1 413 ")


def received_by_now(sock: socket.socket) -> bytes:
    readable, _, _ = select.select([sock], [], [], 0)
    return sock.recv(65536) if readable else b""


def test_a_refused_upload_still_hears_why(address: Address) -> None:
    head = b"POST /api/v1/provenance/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    with socket.create_connection(address, timeout=5) as sock:
        sock.sendall(head + b"Content-Length: %d\r\n\r\n" % (64 * MIB) + b"x" * MIB)
        received = sock.recv(65536)
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"payload_too_large" in received
