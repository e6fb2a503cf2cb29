"""While no key is asked for, only this machine may speak to us, and no web page but our own.

A page anywhere can make the browser of somebody who runs darkroom send requests to 127.0.0.1; a key would stop it, and
without one these two checks do: `Host` must be a name of ours (else it is DNS rebinding), and an `Origin` must be ours.
"""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import answer, problem_of
from darkroom.errors import ForbiddenOrigin, UnknownHost
from darkroom.loopback import is_loopback
from darkroom.settings import Settings

_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")


class LocalVisitors:
    """Pure ASGI; goes before everything that acts on a request when `allow_anonymous` is set."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        public = urlsplit(settings.public_url or "")
        self._public_host = public.hostname
        self._public_origin = f"{public.scheme}://{public.netloc}".lower() if public.netloc else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            refusal = answer(problem_of(UnknownHost("this service does not go by that host name")))
            await refusal(scope, receive, send)
        elif not self._same_origin(headers.get("origin"), f"{scope['scheme']}://{host}"):
            refusal = answer(problem_of(ForbiddenOrigin("a page of another origin may not use this service")))
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        found = _AUTHORITY.fullmatch(host)
        if found is None:
            return False
        name = found[1].strip("[]").lower()
        return is_loopback(name) or name.endswith(".localhost") or name == self._public_host

    def _same_origin(self, origin: str | None, ours: str) -> bool:
        return origin is None or origin.lower() in (ours.lower(), self._public_origin)
