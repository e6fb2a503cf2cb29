"""`darkroom watermark-key`: make a watermark's secret, and say how one takes the place of another."""

import secrets
from typing import Annotated

import typer

SECRET_BYTES = 32

FIRST = """\
Give it to gateways and workers as DARKROOM_WATERMARK_SECRET, and keep a second copy where it cannot be lost:
without it no picture that was marked by it leads back to its record.
"""
NEXT = """\
To have it take the place of one that marks in epoch {epoch}:
1. add the old one to DARKROOM_WATERMARK_OLD_SECRETS, a JSON array, as {{"secret": "...", "last_epoch": {epoch}}}
2. set DARKROOM_WATERMARK_SECRET to the new one, and DARKROOM_WATERMARK_EPOCH to {next_epoch}
3. do both for gateways and whoever else verifies, then for workers
4. verify a picture of before and one made since: both are intact, and recovered once stripped
"""


def watermark_key(
    after: Annotated[
        int | None,
        typer.Option(metavar="EPOCH", min=0, max=99, help="The epoch of a secret that this one takes the place of."),
    ] = None,
) -> None:
    """Make a watermark's secret.

    Alone on stdout, what to do with it on stderr. It is kept nowhere.
    """
    typer.echo(secrets.token_hex(SECRET_BYTES))
    typer.echo(FIRST if after is None else NEXT.format(epoch=after, next_epoch=after + 1), err=True, nl=False)
