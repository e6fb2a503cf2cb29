"""`darkroom secrets`: everything that an installation in containers begins with."""

from pathlib import Path
from typing import Annotated

import typer

TOLD = """\
wrote     {where}, for you alone to read
key       {key}
use       curl -H 'Authorization: Bearer {key}' http://127.0.0.1:8000/api/v1/models
next      {next}

The key is shown here only. Keep a copy of what was written where it cannot be lost: without DARKROOM_WATERMARK_SECRET
no picture leads back to its record. The certificate is for development: bring your own before strangers rely on it.
"""
COMPOSE = "docker compose up --detach"
KUBERNETES = "kubectl apply --kustomize deploy/kubernetes/overlays/dev"


def secrets(
    folder: Annotated[Path, typer.Argument(help="Where docker-compose.yml lies; with --kubernetes, a new one.")] = Path(
        "."
    ),
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Write what the overlay `dev` makes its secrets of.")
    ] = False,
    tenant: Annotated[str, typer.Option(help="Who the API key is for.")] = "local",
) -> None:
    """Make the secrets of an installation with docker-compose or Kubernetes: users of Redis, a certificate, keys."""
    from darkroom.services.deployment import begin, begin_in_kubernetes

    if kubernetes:
        key, where, following = begin_in_kubernetes(folder, tenant), str(folder), KUBERNETES
    else:
        key, where, following = begin(folder, tenant), f"{folder / '.env'} and deploy/compose/secrets", COMPOSE
    typer.echo(TOLD.format(where=where, key=key, next=following), nl=False)
