"""What each code means to whoever is answered with it: `explained.toml`, beside the tree."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import darkroom.errors
from darkroom.errors.base import DarkroomError


@dataclass(frozen=True)
class Explained:
    """`group` is where it is met. `request` is HTTP that is answered so, `says` what is said; both may be empty."""

    code: str
    status: int
    retryable: bool
    group: str
    cause: str
    remedy: str
    says: str = ""
    request: str = ""


@cache
def explained() -> tuple[Explained, ...]:
    """Every code that is explained, in the order of the page. Raises: KeyError for one that no error has."""
    kinds = {kind.code: kind for kind in error_kinds()}
    told = tomllib.loads(files(darkroom.errors).joinpath("explained.toml").read_text("utf-8"))
    return tuple(
        Explained(code, kinds[code].status, kinds[code].retryable, group, **words)
        for group, codes in told.items()
        for code, words in codes.items()
    )


def error_kinds(root: type[DarkroomError] = DarkroomError) -> Iterator[type[DarkroomError]]:
    """Every kind of error there is, the base first."""
    yield root
    for child in root.__subclasses__():
        yield from error_kinds(child)
