"""Weighted tokens -> chunks, each of which fills the text encoder's window once.

After `ClassicTextProcessingEngine.tokenize_line` of Forge: where a chunk is full and a comma stood within the last
tokens, what follows the comma moves to the next chunk, so that phrases stay whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

# Tokens back to a comma at which a full chunk may be broken instead: A1111's `comma_padding_backtrack`.
BACKTRACK = 20
# Chunks of one prompt; what is beyond has no effect, and the caller is told.
MOST_CHUNKS = 16


class Vector(NamedTuple):
    """Row `row` of the embedding `name`, which takes the place of a token's."""

    name: str
    row: int


@dataclass(frozen=True)
class Unit:
    """What must not be torn apart: a token, or all vectors of an embedding."""

    tokens: tuple[int | Vector, ...]
    weight: float


class Named(NamedTuple):
    """An embedding of `vectors` rows, and the tokens of its name."""

    tokens: tuple[int, ...]
    name: str
    vectors: int


class Weighted(NamedTuple):
    token: int | Vector
    weight: float


def units(tokens: Sequence[int], weight: float, named: Sequence[Named]) -> Iterator[Unit]:
    """Tokens, and embeddings where the tokens of their names stand; of several that fit, the first in `named`."""
    position = 0
    while position < len(tokens):
        found = next((each for each in named if _stands_at(tokens, position, each)), None)
        if found is None:
            yield Unit((tokens[position],), weight)
            position += 1
        else:
            yield Unit(tuple(Vector(found.name, row) for row in range(found.vectors)), weight)
            position += len(found.tokens)


def _stands_at(tokens: Sequence[int], position: int, named: Named) -> bool:
    return bool(named.tokens) and tuple(tokens[position : position + len(named.tokens)]) == named.tokens


def chunked(sections: Sequence[Sequence[Unit]], size: int, comma: int | None) -> tuple[list[list[Weighted]], int]:
    """(chunks of at most `size` tokens each, how many tokens there was no room for). At least one chunk, maybe empty.

    `comma` is the token of a comma, if there is one. A unit of more than `size` tokens has no room.
    """
    writer = _Writer(size, comma)
    for index, section in enumerate(sections):
        if index:
            writer.end_chunk()
        for unit in section:
            writer.write(unit)
    return writer.chunks()


@dataclass
class _Writer:
    size: int
    comma: int | None
    full: list[list[Weighted]] = field(default_factory=list)
    last: list[Weighted] = field(default_factory=list)
    comma_at: int | None = None
    dropped: int = 0

    def write(self, unit: Unit) -> None:
        if len(unit.tokens) > self.size:
            self.dropped += len(unit.tokens)
            return
        if unit.tokens == (self.comma,):
            self.comma_at = len(self.last)
        elif len(self.last) == self.size and self.comma_at is not None and self.size - self.comma_at <= BACKTRACK:
            self._break_after(self.comma_at)
        if len(self.last) + len(unit.tokens) > self.size:
            self.end_chunk()
        self.last += [Weighted(token, unit.weight) for token in unit.tokens]

    def end_chunk(self) -> None:
        self.full.append(self.last)
        self.last, self.comma_at = [], None

    def chunks(self) -> tuple[list[list[Weighted]], int]:
        # An empty end, after a last BREAK, is no chunk; an empty prompt is one.
        if self.last or not self.full:
            self.end_chunk()
        beyond = sum(len(chunk) for chunk in self.full[MOST_CHUNKS:])
        return self.full[:MOST_CHUNKS], self.dropped + beyond

    def _break_after(self, place: int) -> None:
        moved = self.last[place + 1 :]
        del self.last[place + 1 :]
        self.end_chunk()
        self.last = moved
