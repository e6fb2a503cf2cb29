"""Words on the terminal: answers on stdout, everything else on stderr."""

import sys

from rich.console import Console


def on_stdout() -> Console:
    return Console(highlight=False, soft_wrap=True)


def on_stderr() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """Say on stderr what went wrong, in one line whatever the message holds."""
    line = " ".join(message.split())
    print(f"darkroom: {line}", file=sys.stderr)
