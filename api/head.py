"""HEAD, answered as GET without the body (RFC 9110, 9.3.2): what routes are there for GET, they are there for HEAD."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENDLESS = "/events"  # a stream without its body would be held open for nothing


def as_routed(method: str, path: str) -> str:
    """The method by which a route is looked for."""
    return "GET" if method == "HEAD" and not path.endswith(ENDLESS) else method


class HeadAsGet:
    """Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method", "")
        routed = as_routed(method, scope.get("path", ""))
        if routed == method:
            await self._app(scope, receive, send)
            return
        inner = {**scope, "method": routed}
        try:
            await self._app(inner, receive, _without_body(send))
        finally:
            scope["route"] = inner.get("route")


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bare
