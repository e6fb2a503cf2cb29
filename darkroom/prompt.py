r"""A1111's prompt syntax: emphasis in brackets, and chunks.

    (word)  ((word))     1.1 times, 1.21 times the attention
    [word]               divided by 1.1
    (word:1.3)           1.3 times
    \( \) \[ \] \\       the characters themselves
    BREAK                what follows begins a chunk of its own

After `parse_prompt_attention` of AUTOMATIC1111, with its results for what it understands. A bracket that is never
closed goes on to the end; one that was never opened is a character.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

ROUND, SQUARE = 1.1, 1 / 1.1
# Far beyond what still draws anything; weights past it are brought to it.
MOST_WEIGHT = 10.0
# Products of nested brackets stay finite on the way.
_HUGE = 1e30

# Possessive, so that no text makes it look twice at the same character.
_LEXEME = re.compile(
    r"""\\[()\[\]\\] | \\ | \( | \[ | :\s*+(?P<weight>[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++))\s*+\) | \) | \] |
    [^\\()\[\]:]++ | :""",
    re.VERBOSE,
)
_BREAK = re.compile(r"\bBREAK\b")


class Piece(NamedTuple):
    """Words of one weight."""

    text: str
    weight: float


@dataclass(frozen=True)
class Prompt:
    """`sections` are what stands between BREAKs, at least one. `clamped` weights were beyond `MOST_WEIGHT`."""

    sections: tuple[tuple[Piece, ...], ...]
    clamped: int


class _Bracket:
    """An opening one, until its end is seen with the default factor of its kind."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.square = factor < 1


class _Closed(NamedTuple):
    bracket: _Bracket


def parse(text: str) -> Prompt:
    """Parse in linear time, whatever the text. Never raises; weights are finite."""
    writer = _Writer()
    # Round and square brackets may overlap, "( [ ) ]": each kind nests by itself.
    products: dict[bool, list[float]] = {False: [1.0], True: [1.0]}
    for item in _matched(text):
        if isinstance(item, _Bracket):
            inside = products[item.square][-1] * item.factor
            products[item.square].append(max(-_HUGE, min(inside, _HUGE)))
        elif isinstance(item, _Closed):
            products[item.bracket.square].pop()
        else:
            writer.write(item, products[False][-1] * products[True][-1])
    return writer.prompt()


def _matched(text: str) -> list[str | _Bracket | _Closed]:
    """Words and brackets in their order, each bracket with its factor."""
    items: list[str | _Bracket | _Closed] = []
    open_: dict[bool, list[_Bracket]] = {False: [], True: []}
    for match in _LEXEME.finditer(text):
        lexeme, weight = match[0], match["weight"]
        square = lexeme in ("[", "]")
        if lexeme in ("(", "["):
            bracket = _Bracket(SQUARE if square else ROUND)
            open_[square].append(bracket)
            items.append(bracket)
        elif open_[square] and (weight is not None or lexeme in (")", "]")):
            bracket = open_[square].pop()
            bracket.factor = bracket.factor if weight is None else float(weight)
            items.append(_Closed(bracket))
        else:
            items.append(lexeme[1:] if lexeme.startswith("\\") else _Words(lexeme))
    return items


class _Words(str):
    """Text in which BREAK is a command; an escaped character is none."""

    __slots__ = ()


@dataclass
class _Writer:
    """Joins neighbours of equal weight, so that "a (b:1.0) c" is one text to the tokenizer, as "a b c" is."""

    sections: list[list[tuple[list[str], float]]] = field(default_factory=lambda: [[]])
    clamped: int = 0

    def write(self, text: str, weight: float) -> None:
        self.clamped += abs(weight) > MOST_WEIGHT
        # Rounded, so that "([word])" weighs 1 and not next to 1.
        within = round(max(-MOST_WEIGHT, min(weight, MOST_WEIGHT)), 9)
        parts = _BREAK.split(text) if isinstance(text, _Words) else [text]
        for index, part in enumerate(parts):
            if index:
                self.sections.append([])
            self._append(part, within)

    def _append(self, text: str, weight: float) -> None:
        section = self.sections[-1]
        if section and section[-1][1] == weight:
            section[-1][0].append(text)
        elif text:
            section.append(([text], weight))

    def prompt(self) -> Prompt:
        return Prompt(tuple(tuple(_pieces(section)) for section in self.sections), self.clamped)


def _pieces(section: list[tuple[list[str], float]]) -> Iterator[Piece]:
    for texts, weight in section:
        yield Piece("".join(texts), weight)
