"""The gateway that commands ask, and how they are told where it is."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from darkroom.client import AsyncClient, Client

DEFAULT_URL = "http://127.0.0.1:8000"
RETRIES = 3

Url = Annotated[str, typer.Option(envvar="DARKROOM_URL", help="The gateway.")]
ApiKey = Annotated[str | None, typer.Option(envvar="DARKROOM_API_KEY", help="Key for it, if it wants one.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def connect(url: str, api_key: str | None, *, retries: int = RETRIES) -> "Client":
    """A client of it, as a context manager."""
    from darkroom.client import Client

    return Client(url, api_key, retries=retries)


def connect_async(url: str, api_key: str | None, *, retries: int = RETRIES) -> "AsyncClient":
    """As `connect`, for much at once."""
    from darkroom.client import AsyncClient

    return AsyncClient(url, api_key, retries=retries)
