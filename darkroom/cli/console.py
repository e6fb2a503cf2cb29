"""Words on the terminal: answers on stdout, everything else on stderr."""

import json
import sys
from typing import TYPE_CHECKING, Any

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


def print_json(value: Any) -> None:
    """One value in one line, for programs: no colours and no wrapping, whatever stdout is."""
    print(json.dumps(value))


def printable(text: str) -> str:
    """A terminal obeys what is not printable, and text that callers wrote is not to give it orders."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def complain(message: str) -> None:
    """Say on stderr what went wrong, in one line whatever the message holds."""
    line = " ".join(message.split())
    print(f"darkroom: {line}", file=sys.stderr)
