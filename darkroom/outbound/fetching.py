"""A file from a URL that a stranger named, within bytes and seconds."""

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from tempfile import SpooledTemporaryFile

import httpcore
import httpx

from darkroom.errors import PayloadTooLarge, UrlRefused, UrlUnreachable
from darkroom.outbound.guard import Guard

MAX_URL = 2048
_MEMORY = 1 << 20  # bytes of a file kept in memory; more goes to disk


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost: bytes of body, and seconds from the look-up of the name to the last byte."""

    max_bytes: int
    seconds: float = 1.5


def parsed(url: str) -> httpcore.URL:
    """The URL as the client reads it: guard and client share this one parser.

    Raises:
        UrlRefused: not http or https, with credentials, longer than MAX_URL, or not a URL.
    """
    try:
        read = httpx.URL(url)
        host = read.host  # decoded only now, from punycode that may be none
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise UrlRefused("the URL cannot be fetched") from None
    odd = len(url) > MAX_URL or "\\" in url or not url.isprintable() or " " in url
    if odd or read.scheme not in {"http", "https"} or not host or read.userinfo or read.port == 0:
        raise UrlRefused("the URL cannot be fetched")
    return httpcore.URL(scheme=read.raw_scheme, host=read.raw_host, port=read.port, target=read.raw_path)


async def fetch(
    url: str, limits: Limits, guard: Guard, tls: ssl.SSLContext | None = None
) -> SpooledTemporaryFile[bytes]:
    """The body at a URL, at its start; redirects, proxies and compressed bodies are not followed, used or unpacked.

    Raises:
        UrlRefused: the guard lets nobody go there.
        UrlUnreachable: no answer of status 200 in time. What went wrong is not told: it would map our network.
        PayloadTooLarge: more than `limits.max_bytes`.
    """
    target = parsed(url)
    file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(_MEMORY)  # noqa: SIM115 - the caller's to close
    try:
        async with asyncio.timeout(limits.seconds):
            await _read(target, limits.max_bytes, guard, tls, file)
    except BaseException as error:
        file.close()
        if isinstance(error, TimeoutError | OSError | httpcore.NetworkError | httpcore.ProtocolError):
            raise UrlUnreachable("the URL cannot be fetched") from None
        raise
    file.seek(0)
    return file


async def _read(
    url: httpcore.URL, most: int, guard: Guard, tls: ssl.SSLContext | None, file: SpooledTemporaryFile[bytes]
) -> None:
    context = tls or system_trust()
    headers = [(b"Host", host_header(url)), (b"Accept-Encoding", b"identity"), (b"User-Agent", b"darkroom")]
    async with (
        httpcore.AsyncConnectionPool(ssl_context=context, network_backend=guard) as pool,
        pool.stream("GET", url, headers=headers) as response,
    ):
        encoding = {name.lower(): value for name, value in response.headers}.get(b"content-encoding", b"identity")
        if response.status != 200 or encoding.lower() != b"identity":
            raise UrlUnreachable("the URL cannot be fetched")
        async for chunk in response.aiter_stream():
            file.write(chunk)
            if file.tell() > most:
                raise PayloadTooLarge(f"the file at the URL is larger than {most} bytes")


@cache
def system_trust() -> ssl.SSLContext:
    """Read once: it is two hundred certificates."""
    return ssl.create_default_context()


def host_header(url: httpcore.URL) -> bytes:
    """The host as HTTP names it, an IPv6 address in brackets."""
    host = b"[%b]" % url.host if b":" in url.host else url.host
    return host if url.port is None else b"%b:%d" % (host, url.port)
