"""A request that says twice how long it is means two things to two readers, which is how requests are smuggled."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import answer, problem_of
from darkroom.errors import MalformedRequest

_LENGTHS = {b"content-length", b"transfer-encoding"}


class OneLength:
    """Pure ASGI. RFC 9112 §6.3: Transfer-Encoding beside Content-Length ought to be handled as an error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and {name for name, _ in scope["headers"]} >= _LENGTHS:
            refused = MalformedRequest("Content-Length and Transfer-Encoding exclude each other")
            await answer(problem_of(refused), {"Connection": "close"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)
