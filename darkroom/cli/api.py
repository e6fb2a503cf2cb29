"""`darkroom api`: the gateway alone."""

import socket
from typing import Annotated

import typer


def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
    fd: Annotated[int | None, typer.Option(hidden=True, help="A listening socket we inherit.")] = None,
) -> None:
    """Run the gateway: HTTP in front of the ledger. No torch, no models."""
    from darkroom.cli.listen import listen
    from darkroom.cli.sibling import sibling
    from darkroom.log import configure_logging
    from darkroom.services.configuration import load_settings

    with sibling("api"):
        from api.serve import serve
    settings = load_settings(host=host, port=port)
    configure_logging(service="gateway", log_format=settings.log_format, level=settings.log_level)
    serve(settings, socket.socket(fileno=fd) if fd is not None else listen(settings.host, settings.port))
