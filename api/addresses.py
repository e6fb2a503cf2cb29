"""Where callers reach us, for the URLs we hand out."""

from starlette.requests import Request

from darkroom.settings import Settings


def base_url(request: Request, settings: Settings) -> str:
    """Scheme and host without a trailing slash: the configured ones, else those of the request itself."""
    return (settings.public_url or str(request.base_url)).rstrip("/")
