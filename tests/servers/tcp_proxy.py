"""A TCP proxy on loopback that breaks what goes through it, as networks do, and mends it again.

It runs on an event loop in a thread of its own, so tests with and without one can use it, and calls take effect before
they return. Bytes once swallowed would leave a hole in their stream, so a connection that lost some ends by RST with
the fault, as behind a firewall that forgot it.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


class Fault(Enum):
    NONE = "passes everything on"
    CUT = "resets what is open, and whatever comes"
    BLACK_HOLE = "takes connections and bytes, and nothing comes of it"
    LOST_REPLY = "passes requests on; at the first byte of a reply, which is lost, resets the connection"


class TcpProxy:
    """Listens on `port` and connects to `upstream`, both on 127.0.0.1. `accepted` counts connections."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.accepted = 0
        self._fault = Fault.NONE
        self._delay = 0.0
        self._replies_to_lose: int | None = None
        self._pairs: set[_Pair] = set()
        self._loop = asyncio.new_event_loop()

    def pass_on(self) -> None:
        """No fault, no delay."""
        self._set(Fault.NONE)

    def cut(self) -> None:
        self._set(Fault.CUT)

    def black_hole(self) -> None:
        self._set(Fault.BLACK_HOLE)

    def lose_replies(self, count: int | None = None) -> None:
        """The next `count` replies, or all from now on."""
        self._set(Fault.LOST_REPLY, lose=count)

    def delay(self, seconds: float) -> None:
        """Bytes of both directions come this much later; connecting does not."""
        self._set(Fault.NONE, delay=seconds)

    def _set(self, fault: Fault, *, delay: float = 0.0, lose: int | None = None) -> None:
        def change() -> None:
            self._fault, self._delay, self._replies_to_lose = fault, delay, lose
            for pair in tuple(self._pairs):
                if fault is Fault.CUT or (pair.torn and fault is not Fault.BLACK_HOLE):
                    pair.reset()

        self._do(change)

    def _do(self, change: Callable[[], None]) -> None:
        async def done() -> None:
            change()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    async def _serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()
        await asyncio.sleep(0)  # what was accepted a moment ago is among the pairs now
        while self._pairs:
            for pair in tuple(self._pairs):
                pair.reset()
            await asyncio.sleep(0.005)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        pair = _Pair(writer)
        self._pairs.add(pair)
        try:
            if self._fault is Fault.BLACK_HOLE:
                pair.torn = True  # a SYN that got no further
                await _swallow(reader)
            elif self._fault is not Fault.CUT:
                with suppress(OSError):
                    await self._between(pair, reader)
        finally:
            pair.reset() if self._fault is Fault.CUT else pair.close()
            self._pairs.discard(pair)

    async def _between(self, pair: "_Pair", reader: asyncio.StreamReader) -> None:
        answers, onward = await asyncio.open_connection("127.0.0.1", self.upstream)
        pair.writers.append(onward)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(pair, reader, onward, is_reply=False))
            group.create_task(self._pump(pair, answers, pair.writers[0], is_reply=True))

    async def _pump(
        self, pair: "_Pair", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(self._delay)
                if self._fault is Fault.BLACK_HOLE:
                    pair.torn = True
                elif is_reply and self._loses_reply():
                    return pair.reset()
                else:
                    writer.write(data)
                    await writer.drain()
            if self._fault is not Fault.BLACK_HOLE and writer.can_write_eof():
                writer.write_eof()
        return None

    def _loses_reply(self) -> bool:
        if self._fault is not Fault.LOST_REPLY or self._replies_to_lose == 0:
            return False
        if self._replies_to_lose is not None:
            self._replies_to_lose -= 1
        return True


class _Pair:
    """The two halves of a connection. `torn`: bytes of it were swallowed."""

    def __init__(self, caller: asyncio.StreamWriter) -> None:
        self.writers = [caller]
        self.torn = False

    def reset(self) -> None:
        for writer in self.writers:
            with suppress(OSError):
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()

    def close(self) -> None:
        for writer in self.writers:
            writer.close()


async def _swallow(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(65536):
            pass


@contextmanager
def tcp_proxy(upstream: int) -> Iterator[TcpProxy]:
    """A proxy in front of a port, until the end of the block."""
    proxy, started, stop = TcpProxy(upstream), threading.Event(), asyncio.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: proxy._loop) as runner:
            runner.run(proxy._serve(started, stop))

    thread = threading.Thread(target=run, name="tcp-proxy")
    thread.start()
    try:
        assert started.wait(10), "the proxy did not start"
        yield proxy
    finally:
        proxy._loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive(), "the proxy did not end"
