"""Which names we answer to, and which web pages may speak to us.

A page anywhere can make the browser of somebody who can reach us send requests here. Without keys these checks alone
stop it: `Host` must be a name of ours (else it is DNS rebinding), and what comes from a page must come from one of
ours, or of `cors_origins`, as `Origin` and `Sec-Fetch-Site` tell. Pages of others are refused with a key as well:
whoever gives a page a key says so in the settings, and a key that was typed as the password of Basic, which dialects
take, is added by browsers to whatever any page sends here.
"""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api import links
from api.dialects.shapes import Shapes
from api.problems import problem_of
from darkroom.errors import AccessError, ForbiddenOrigin, UnknownHost
from darkroom.loopback import is_loopback
from darkroom.settings import Settings

_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")
_SAFE = ("GET", "HEAD")
# W3C Fetch Metadata: what browsers say, and no page can make them say otherwise.
_OWN_SITES = ("same-origin", "none")


def checks_hosts(settings: Settings) -> bool:
    """Whether there are names that we do not answer to."""
    return settings.allow_anonymous or bool(settings.allowed_hosts)


class Visitors:
    """Pure ASGI; goes before everything that acts on a request."""

    def __init__(self, app: ASGIApp, settings: Settings, shapes: Shapes) -> None:
        self._app = app
        self._shapes = shapes
        public = urlsplit(settings.public_url or "")
        self._checks_hosts = checks_hosts(settings)
        names, origins = list(settings.allowed_hosts), list(settings.cors_origins)
        if public.hostname:
            names.append(public.hostname)
            origins.append(f"{public.scheme}://{public.netloc}")
        self._hosts = frozenset(name.lower() for name in names)
        self._origins = frozenset(origin.lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refusal(scope) if scope["type"] == "http" else None
        answering = self._shapes.answer(scope["path"], problem_of(refused)) if refused else self._app
        await answering(scope, receive, send)

    def _refusal(self, scope: Scope) -> AccessError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._checks_hosts and not self._is_ours(host):
            return UnknownHost("this service does not go by that host name")
        # A signed link says by itself who may have the picture: whoever has it, on pages of others as well.
        linked = scope["method"] in _SAFE and scope["path"].startswith(f"{links.PREFIX}/")
        if not linked and not self._welcome(headers, f"{scope['scheme']}://{host}", scope["method"]):
            return ForbiddenOrigin("a page of another origin may not use this service")
        return None

    def _is_ours(self, host: str) -> bool:
        found = _AUTHORITY.fullmatch(host)
        if found is None:
            return False
        name = found[1].strip("[]").lower()
        return is_loopback(name) or name.endswith(".localhost") or name in self._hosts

    def _welcome(self, headers: Headers, ours: str, method: str) -> bool:
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if site in _OWN_SITES:
            return True
        if origin is not None:
            return origin.lower() == ours.lower() or origin.lower() in self._origins
        # A link from elsewhere that is followed shows a page; pictures and scripts that a page asks for do not.
        return site is None or (method in _SAFE and headers.get("sec-fetch-mode") == "navigate")
