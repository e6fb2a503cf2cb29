"""A message to a URL that a stranger named, and no more than a status back."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpcore

from darkroom.errors import UrlUnreachable
from darkroom.outbound.fetching import Limits, host_header, parsed, system_trust
from darkroom.outbound.guard import Guard

CONNECT_SECONDS: Final = 4.0  # for one address, so that another of the same host has its turn


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; of its body nothing is kept."""

    status: int
    retry_after: str | None


def admitted(url: str, guard: Guard) -> str:
    """The host of a URL that may be posted to, as far as that can be told without looking up its name.

    Raises: UrlRefused.
    """
    target = parsed(url)
    host = target.host.decode("ascii")
    guard.refuse_at_sight(host, target.port or (443 if target.scheme == b"https" else 80))
    return host.lower()


async def post(
    url: str, body: bytes, headers: Mapping[str, str], limits: Limits, guard: Guard, tls: ssl.SSLContext | None = None
) -> Answer:
    """Post JSON; redirects and proxies are not followed or used, and of the answer `limits.max_bytes` are read.

    Raises:
        UrlRefused: the guard lets nobody go there.
        UrlUnreachable: no answer, or none that is HTTP.
        TimeoutError: more than `limits.seconds`, from the look-up of the name to the end of the answer.
    """
    target = parsed(url)
    sent = [
        (b"Host", host_header(target)),
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"%d" % len(body)),
        (b"Accept-Encoding", b"identity"),
        (b"User-Agent", b"darkroom"),
        (b"Connection", b"close"),
        *((name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()),
    ]
    try:
        async with asyncio.timeout(limits.seconds):
            return await _exchange(target, body, sent, limits.max_bytes, guard, tls)
    except TimeoutError:
        raise
    except (OSError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        raise UrlUnreachable("nobody answers at the URL") from None


async def _exchange(
    target: httpcore.URL,
    body: bytes,
    headers: list[tuple[bytes, bytes]],
    most: int,
    guard: Guard,
    tls: ssl.SSLContext | None,
) -> Answer:
    limits = {"timeout": {"connect": CONNECT_SECONDS}}
    context = tls or (system_trust() if target.scheme == b"https" else None)
    async with (
        httpcore.AsyncConnectionPool(ssl_context=context, network_backend=guard) as pool,
        pool.stream("POST", target, headers=headers, content=body, extensions=limits) as response,
    ):
        wait = {name.lower(): value for name, value in response.headers}.get(b"retry-after")
        read = 0
        async for chunk in response.aiter_stream():
            read += len(chunk)
            if read >= most:
                break
        return Answer(response.status, wait.decode("latin-1") if wait is not None else None)
