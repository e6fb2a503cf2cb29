"""Flows driven by awaiting: `httpx.AsyncClient`, and threads for files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import httpx

from darkroom.client.pictures import bytes_of, write_whole
from darkroom.client.place import Place, answer_of, arguments, patience, translated
from darkroom.client.server_sent import Lines
from darkroom.client.steps import Answer, Flow, NextLine, Open, Read, Send, Sleep, Step, Tell, Walk, Write

T = TypeVar("T")


class AsyncWire:
    """One pool of connections to a gateway, of one event loop."""

    def __init__(self, place: Place, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._place = place
        self._http = httpx.AsyncClient(**place.options, transport=transport)

    async def close(self) -> None:
        await self._http.aclose()

    async def run(self, flow: Flow[T], tell: Callable[[Any], object] | None = None) -> T:
        """What the flow returns; what it tells goes to `tell`. Any error on the way is the flow's to handle first."""
        walk = Walk(flow)
        async with _Hands(self._http, self._place) as hands:
            while (step := walk.step()) is not None:
                try:
                    walk.give((tell(step.value) if tell else None) if isinstance(step, Tell) else await hands.do(step))
                except BaseException as error:  # noqa: BLE001 - thrown where it is handled, or raised
                    walk.fail(error)
        result: T = walk.result
        return result

    async def told(self, flow: Flow[None]) -> AsyncIterator[Any]:
        """What the flow tells, as it tells it."""
        walk = Walk(flow)
        async with _Hands(self._http, self._place) as hands:
            while (step := walk.step()) is not None:
                if isinstance(step, Tell):
                    yield step.value
                    continue
                try:
                    walk.give(await hands.do(step))
                except BaseException as error:  # noqa: BLE001 - thrown where it is handled, or raised
                    walk.fail(error)


class _Hands(AsyncExitStack):
    """Does the steps of one flow, and closes what it left open."""

    def __init__(self, http: httpx.AsyncClient, place: Place) -> None:
        super().__init__()
        self._http = http
        self._place = place
        self._lines: AsyncIterator[str] = _none()

    async def do(self, step: Step) -> Any:
        match step:
            case Send(request):
                with translated(self._place.url):
                    response = await self._http.request(**arguments(request))
                return answer_of(response, response.content)
            case Open():
                return await self._open(step)
            case NextLine():
                with translated(self._place.url):
                    return await anext(self._lines, None)
            case Read(picture):
                return await asyncio.to_thread(bytes_of, picture)
            case Write(path, data):
                return await asyncio.to_thread(write_whole, path, data)
            case Sleep(seconds):
                await asyncio.sleep(seconds)
        return None

    async def _open(self, step: Open) -> Answer:
        await self.aclose()
        limits = patience(self._place.timeout, step.silence)
        with translated(self._place.url):
            request = self._http.build_request(**arguments(step.request), timeout=limits)
            response = await self._http.send(request, stream=True)
            self.push_async_callback(response.aclose)
            body = await response.aread() if response.is_error else b""
        self._lines = _lines_of(response)
        return answer_of(response, body)


async def _lines_of(response: httpx.Response) -> AsyncIterator[str]:
    lines = Lines()
    async for piece in response.aiter_text():
        for line in lines.read(piece):
            yield line


async def _none() -> AsyncIterator[str]:
    return
    yield
