"""`darkroom key`: make an API key. Only its SHA-256 is ever stored."""

import hashlib
import json
import secrets
from typing import Annotated

import typer


def key(tenant: Annotated[str, typer.Argument(help="Who the key is for.")] = "local") -> None:
    """Make an API key.

    It is shown once here, and known to the service by its SHA-256 alone.
    """
    made = f"dk_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(made.encode()).hexdigest()
    typer.echo(f"{'key':9} {made}")
    typer.echo(f"{'setting':9} DARKROOM_API_KEYS='{json.dumps({digest: tenant})}'")
    typer.echo(f"{'use':9} curl -H 'Authorization: Bearer {made}' …", err=False)
