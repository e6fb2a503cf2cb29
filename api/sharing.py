"""CORS: which pages of other origins a browser lets use the API. None, unless the settings name them."""

from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from darkroom.settings import Settings

_ASKED = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Prefer")
# What the SDKs of OpenAI say of themselves in a browser.
_OF_SDKS = (
    *("OpenAI-Organization", "OpenAI-Project", "X-Stainless-Arch", "X-Stainless-Async", "X-Stainless-Lang"),
    *("X-Stainless-OS", "X-Stainless-Package-Version", "X-Stainless-Retry-Count", "X-Stainless-Runtime"),
    *("X-Stainless-Runtime-Version", "X-Stainless-Timeout"),
)
_SHOWN = (
    "Darkroom-Warning",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "X-Request-ID",
    "X-Should-Retry",
)
_AGE_SECONDS = 600


def sharing(settings: Settings) -> list[Middleware]:
    """Never with credentials: there are no cookies here, and a key is the page's own to send."""
    if not settings.cors_origins:
        return []
    allowed: dict[str, Any] = {
        "allow_origins": settings.cors_origins,
        "allow_methods": ("GET", "HEAD", "POST", "DELETE"),
        "allow_headers": (*_ASKED, *_OF_SDKS),
        "expose_headers": _SHOWN,
        "allow_credentials": False,
        "max_age": _AGE_SECONDS,
    }
    return [Middleware(CORSMiddleware, **allowed)]
