"""A wrong name beside the right ones: which was meant, and which there are."""

from collections.abc import Sequence
from difflib import get_close_matches

MOST_TOLD = 20
# Comparing takes up to 30 microseconds a name, and the gateway answers nobody else meanwhile.
MOST_COMPARED = 1000


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The one that was probably meant."""
    close = get_close_matches(name, known[:MOST_COMPARED], n=1)
    return close[0] if close else None


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """What to say of a name that nobody configured. `kind` is what people call what it names."""
    meant = nearest(name, known)
    guess = f"did you mean {meant!r}? " if meant else ""
    return f"no {kind} named {name!r}; {guess}known: {listed(known)}"


def listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    told = ", ".join(names[:MOST_TOLD]) or "none"
    more = len(names) - MOST_TOLD
    return f"{told} and {more} more" if more > 0 else told
