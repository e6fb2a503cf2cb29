"""`darkroom inspect`: all that there is to know of a picture, on one page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from darkroom.cli.console import complain, on_stdout, print_json
from darkroom.cli.gateway import ApiKey, AsJson
from darkroom.cli.verify import MaybeUrl, Witness
from darkroom.errors import DarkroomError

if TYPE_CHECKING:
    from darkroom.cli.inspected import Inspected

FAILED = 1
LABEL = 12  # columns
LEAST = 40


def inspect(
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE", help="Files.")],
    url: MaybeUrl = None,
    api_key: ApiKey = None,
    local: Annotated[bool, typer.Option("--local", help="Ask no gateway; use this machine's own records.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of pictures.

    What the file holds, the verdict on it, what its credential says, its watermark, and, for whoever made it, the
    receipt. The exit code is 1 when one of them cannot be looked at. In JSON each is one line.
    """
    from darkroom.cli.inspected import inspected
    from darkroom.client import ClientError, GatewayAway

    witness, failed = Witness(url, api_key, local=local), False
    for number, picture in enumerate(pictures):
        try:
            found = inspected(Path(picture), witness)
        except GatewayAway:
            raise
        except (ClientError, DarkroomError, OSError) as error:
            complain(f"{picture}: {getattr(error, 'strerror', None) or error}")
            failed = True
            continue
        if as_json:
            print_json(found.as_json)
        else:
            _tell(found, first=number == 0)
    if failed:
        raise typer.Exit(FAILED)


def _tell(found: "Inspected", *, first: bool) -> None:
    console = on_stdout()
    if not first:
        console.print()
    console.print(str(found.path), style="bold", markup=False)
    for label, value in found.lines:
        words = f"{label:<{LABEL}}{value}"
        console.print(_folded(words, console) if console.is_terminal else words, markup=False)


def _folded(words: str, console: Any) -> str:
    """Under the column in which values begin."""
    import textwrap

    return textwrap.fill(
        words, max(LEAST, console.width), subsequent_indent=" " * LABEL, break_on_hyphens=False, drop_whitespace=True
    )
