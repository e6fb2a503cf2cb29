"""A receiver of webhooks on loopback, which keeps what it was sent and answers as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

from darkroom.outbound import Guard
from tests.until import until

LOOPBACK = ip_network("127.0.0.0/8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@dataclass(frozen=True)
class Message:
    """One request. Header names are in lower case."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[["Receiver", Message, asyncio.StreamWriter], Awaitable[None]]


def says(status: int, headers: str = "", body: bytes = b"") -> Answer:
    """An answer of this status; `headers` are whole lines."""

    async def answer(receiver: "Receiver", message: Message, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    return answer


async def hangs(receiver: "Receiver", message: Message, writer: asyncio.StreamWriter) -> None:
    """No answer, until whoever asked has gone."""
    await asyncio.wait_for(receiver.closing.wait(), 30)


@dataclass
class Receiver:
    port: int
    answer: Answer = field(default_factory=lambda: says(200))
    messages: list[Message] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=of-the-receiver"

    @property
    def guard(self) -> Guard:
        """One that lets nobody go elsewhere."""
        return Guard([LOOPBACK], [self.port])

    async def got(self, count: int, seconds: float = 5.0) -> list[Message]:
        """What was sent, once it is so many. Raises: TimeoutError."""
        await until(lambda: len(self.messages) >= count, seconds)
        return self.messages

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head)}
            message = Message(headers, await reader.readexactly(int(headers["content-length"])))
            self.messages.append(message)
            await self.answer(self, message, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(answer: Answer | None = None, port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver(port=0)
    if answer:
        receiver.answer = answer
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.close()
        await server.wait_closed()
