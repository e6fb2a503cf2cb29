"""What is configured and cannot be had."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from darkroom.errors import BrokenWeights, ModelError


@dataclass(frozen=True)
class Unavailable:
    """Something configured that cannot be used, and why."""

    name: str
    error: ModelError


@contextmanager
def set_aside(name: str, place: Path, unavailable: list[Unavailable]) -> Iterator[None]:
    """Add `name` to `unavailable` where reading what lies at `place` fails, however it does.

    Files are anybody's. One that is odd in a way nobody thought of must not take all others down.
    """
    try:
        yield
    except ModelError as error:
        unavailable.append(Unavailable(name, error))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told by its kind and served to nobody
        words = f"cannot be understood ({type(error).__name__})"
        unavailable.append(Unavailable(name, BrokenWeights(place.name, words)))
