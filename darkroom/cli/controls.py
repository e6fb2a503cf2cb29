"""`--control` and `--map` of `darkroom generate`: what a picture's composition is to follow."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from darkroom.cli.numbers import finite

if TYPE_CHECKING:
    from darkroom.client.fields import ControlFields

_ID = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Control:
    """`image` is a file, or the id of an asset; without `preprocess` it is a map already."""

    kind: str
    model: str
    image: Path | str
    scale: float
    preprocess: bool

    @property
    def asked(self) -> "ControlFields":
        """What to ask for."""
        named = {"model": self.model} if self.model else {}
        fields = {"type": self.kind, "image": self.image, "scale": self.scale, "preprocess": self.preprocess, **named}
        return cast("ControlFields", fields)  # whether there is such a type, the gateway says


def parse_controls(pictures: Iterable[str], maps: Iterable[str]) -> Iterator[Control]:
    """Raises: typer.BadParameter naming the option."""
    for words in pictures:
        yield _parsed(words, "--control", preprocess=True)
    for words in maps:
        yield _parsed(words, "--map", preprocess=False)


def _parsed(words: str, hint: str, *, preprocess: bool) -> Control:
    """`type:image` or `type/model:image`, and perhaps `:scale` behind."""
    kind, _, rest = words.partition(":")
    name, _, model = kind.partition("/")
    image, scale = _image(rest), 1.0
    try:
        if image is None:
            place, _, number = rest.rpartition(":")
            image, scale = _image(place), finite(number)
    except ValueError:
        image = None
    if image is None:
        raise typer.BadParameter(
            f"{words!r} is not TYPE:IMAGE or TYPE:IMAGE:SCALE with a file that is there or the id of an asset, "
            "as in canny:photo.png:0.8",
            param_hint=hint,
        )
    return Control(name, model, image, scale, preprocess)


def _image(words: str) -> Path | str | None:
    """A file, an id, or neither: it may be both with a scale behind."""
    if words and Path(words).is_file():
        return Path(words)
    return words if _ID.fullmatch(words) else None
