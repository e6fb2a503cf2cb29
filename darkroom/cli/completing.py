"""Names for the shell to complete: those that the gateway has, if it says so at once."""

from collections.abc import Callable

from darkroom.cli.gateway import DEFAULT_URL

ANSWER_SECONDS = 1.0

Completer = Callable[[str], list[str]]


def names_of(field: str) -> Completer:
    """Of `models`, `loras`, `schedulers` or `vaes`. Whoever presses Tab is told no error, and never waits long."""

    def names(incomplete: str) -> list[str]:
        import os

        from darkroom.client import Client, ClientError

        try:
            with Client(os.environ.get("DARKROOM_URL", DEFAULT_URL), timeout=ANSWER_SECONDS, retries=0) as client:
                known: list[str] = getattr(client.capabilities(), field)
        except ClientError:
            return []
        return [name for name in known if name.startswith(incomplete)]

    return names
