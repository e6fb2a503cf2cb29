"""HTTP requests to services that operators name: they end in time, and threads may wait for them."""

import asyncio
import ssl
from collections.abc import Coroutine, Mapping
from threading import Thread
from typing import Any, Final, TypeVar

import httpx

CONNECTIONS: Final = 16

Result = TypeVar("Result")


class PostFailed(Exception):
    """Why, in words that name neither address nor content."""


class Disconnected(PostFailed):
    """Before an answer, where there had been a connection: one that was kept may have been closed meanwhile."""


class Poster:
    """Sends from a thread of its own, over connections that it keeps. For one process: a fork needs another."""

    def __init__(self, *, proxies: bool, tls: ssl.SSLContext | None = None) -> None:
        """`proxies`: those of the environment are used."""
        self._proxies = proxies
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="post", daemon=True)
        self._thread.start()
        self._client: httpx.AsyncClient | None = None

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, most: int) -> bytes:
        """The body of a 200, of at most `most` bytes, within `seconds` all in all. Raises: PostFailed."""
        return self.run(self.send(url, body, headers, seconds=seconds, most=most))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What becomes of `work` on the thread that sends. For other threads."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self.run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def send(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, most: int) -> bytes:
        """As `post`, on the thread that sends."""
        # httpx's own time-outs are for each piece that is read: one byte a second would last for ever.
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(url, body, headers, most)
        except TimeoutError:
            raise PostFailed(f"no answer within {seconds:g} s") from None
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            raise Disconnected(f"no connection ({type(error).__name__})") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise PostFailed(f"no connection ({type(error).__name__})") from None

    async def _exchange(self, url: str, body: bytes, headers: Mapping[str, str], most: int) -> bytes:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=None,  # noqa: S113  the whole exchange has one
                trust_env=self._proxies,
                verify=self._tls or True,
                headers={"accept-encoding": "identity"},
                limits=httpx.Limits(max_connections=CONNECTIONS),
            )
        async with self._client.stream("POST", url, content=body, headers=dict(headers)) as answer:
            if answer.status_code != 200:
                raise PostFailed(f"answered with status {answer.status_code}")
            if answer.headers.get("content-encoding", "identity").lower() != "identity":
                raise PostFailed("answered compressed, unasked")  # a few bytes of it may be gigabytes
            content = b""
            async for part in answer.aiter_raw():
                content += part
                if len(content) > most:
                    raise PostFailed(f"answered with more than {most} bytes")
            return content

    async def _close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
