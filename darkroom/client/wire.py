"""Flows driven by waiting: `httpx.Client` and `time.sleep`."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import httpx

from darkroom.client.pictures import bytes_of, write_whole
from darkroom.client.place import Place, answer_of, arguments, patience, translated
from darkroom.client.server_sent import Lines
from darkroom.client.steps import Answer, Flow, NextLine, Open, Read, Send, Sleep, Step, Tell, Walk, Write

T = TypeVar("T")


class Wire:
    """One pool of connections to a gateway, for as many threads as like."""

    def __init__(self, place: Place, transport: httpx.BaseTransport | None = None) -> None:
        self._place = place
        self._http = httpx.Client(**place.options, transport=transport)

    def close(self) -> None:
        self._http.close()

    def run(self, flow: Flow[T], tell: Callable[[Any], object] | None = None) -> T:
        """What the flow returns; what it tells goes to `tell`. Any error on the way is the flow's to handle first."""
        walk = Walk(flow)
        with _Hands(self._http, self._place) as hands:
            while (step := walk.step()) is not None:
                try:
                    walk.give((tell(step.value) if tell else None) if isinstance(step, Tell) else hands.do(step))
                except BaseException as error:  # noqa: BLE001 - thrown where it is handled, or raised
                    walk.fail(error)
        result: T = walk.result
        return result

    def told(self, flow: Flow[None]) -> Iterator[Any]:
        """What the flow tells, as it tells it."""
        walk = Walk(flow)
        with _Hands(self._http, self._place) as hands:
            while (step := walk.step()) is not None:
                if isinstance(step, Tell):
                    yield step.value
                    continue
                try:
                    walk.give(hands.do(step))
                except BaseException as error:  # noqa: BLE001 - thrown where it is handled, or raised
                    walk.fail(error)


class _Hands(ExitStack):
    """Does the steps of one flow, and closes what it left open."""

    def __init__(self, http: httpx.Client, place: Place) -> None:
        super().__init__()
        self._http = http
        self._place = place
        self._lines: Iterator[str] = iter(())

    def do(self, step: Step) -> Any:
        match step:
            case Send(request):
                with translated(self._place.url):
                    response = self._http.request(**arguments(request))
                return answer_of(response, response.content)
            case Open():
                return self._open(step)
            case NextLine():
                with translated(self._place.url):
                    return next(self._lines, None)
            case Read(picture):
                return bytes_of(picture)
            case Write(path, data):
                return write_whole(path, data)
            case Sleep(seconds):
                time.sleep(seconds)
        return None

    def _open(self, step: Open) -> Answer:
        self.close()
        limits = patience(self._place.timeout, step.silence)
        with translated(self._place.url):
            request = self._http.build_request(**arguments(step.request), timeout=limits)
            response = self._http.send(request, stream=True)
            self.callback(response.close)
            body = response.read() if response.is_error else b""
        self._lines = _lines_of(response)
        return answer_of(response, body)


def _lines_of(response: httpx.Response) -> Iterator[str]:
    lines = Lines()
    for piece in response.iter_text():
        yield from lines.read(piece)
