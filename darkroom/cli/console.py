"""Words on the terminal: answers on stdout, everything else on stderr."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class CommandFailed(Exception):
    """A command could not do what it was told; the message says why. Ends as one line and exit code 1."""


def on_stdout() -> "Console":
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def on_stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """Say on stderr what went wrong, in one line whatever the message holds."""
    line = " ".join(message.split())
    print(f"darkroom: {line}", file=sys.stderr)
