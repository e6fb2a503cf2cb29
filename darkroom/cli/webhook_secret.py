"""`darkroom webhook-secret`: make a secret that webhooks are signed with."""

from typing import Annotated

import typer

USE = """\
Give it to the gateway and the courier, and to whoever receives the webhooks:
DARKROOM_WEBHOOK_SECRETS='{{"{tenant}": ["whsec_..."]}}'
Where another is in use, put this one behind it until every receiver verifies by it: ["whsec_old", "whsec_new"].
"""


def webhook_secret(tenant: Annotated[str, typer.Argument(help="Whose webhooks it signs.")] = "local") -> None:
    """Make a secret that webhooks are signed with.

    Alone on stdout, what to do with it on stderr. It is kept nowhere.
    """
    from darkroom.services.webhook_secrets import fresh_secret

    typer.echo(fresh_secret())
    typer.echo(USE.format(tenant=tenant), err=True, nl=False)
