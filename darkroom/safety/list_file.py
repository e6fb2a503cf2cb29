"""A list of words and phrases -> rules. One entry a line:

sexual: porn                                  a word, wherever it stands by itself
sexual: blow job                              a phrase; what stands between its words does not matter
sexual 0.5: lingerie                          with a score, where it is not 1
sexual: porn*                                 every word that begins so
@child = child | kid | <1-17> years old       a name for alternatives; a number between two
minors: @child & nude | naked within 12       of each group one, within so many words; else anywhere
allow: sex education                          words that do not count where they stand so
# a comment
"""

import re
from dataclasses import dataclass, field
from typing import Final

from darkroom.safety.phrases import MOST_WORDS, Part, Phrase
from darkroom.safety.rules import Rule, Rules
from darkroom.safety.spelling import folded, plain, words

MOST_LINES: Final = 100_000
MOST_CHARS: Final = 20_000  # of a line
LEAST_BEGINNING: Final = 3  # letters before a *

_NAMED: Final = re.compile(r"@([a-z][a-z0-9_]*)\s*=(.*)")
_ENTRY: Final = re.compile(r"([a-z][a-z0-9_]{0,31})(?:[ \t]+([0-9.]{1,8}))?[ \t]*:(.*)")
_WITHIN: Final = re.compile(r"(.*\S)\s+within\s+([0-9]{1,4})")
_NUMBERS: Final = re.compile(r"<([0-9]{1,4})-([0-9]{1,4})>")
_PIECE: Final = re.compile(r"<[^<>\s]*>|[^<>\s]+")


class Unreadable(ValueError):
    """Why a line is no entry. It never holds the line: lists of words are nothing for logs."""


@dataclass
class _Reading:
    """What was read so far; every phrase once."""

    numbers: dict[Phrase, int] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    allowed: list[Phrase] = field(default_factory=list)
    named: dict[str, frozenset[int]] = field(default_factory=dict)

    def line(self, text: str) -> None:
        if len(text) > MOST_CHARS:
            raise Unreadable(f"is longer than {MOST_CHARS} characters")
        if found := _NAMED.fullmatch(text):
            if found[1] in self.named:
                raise Unreadable(f"names @{found[1]} again")
            self.named[found[1]] = self._group(found[2])
        elif (found := _ENTRY.fullmatch(text)) and found[1] == "allow" and not found[2]:
            self.allowed.append(_phrase(found[3]))
        elif found:
            self.rules.append(self._rule(found[1], found[2], found[3]))
        else:
            raise Unreadable("is no `category: entry`")

    def _rule(self, category: str, score: str | None, entry: str) -> Rule:
        near = _WITHIN.fullmatch(entry.strip())
        groups = tuple(self._group(group) for group in (near[1] if near else entry).split("&"))
        if near and len(groups) < 2:
            raise Unreadable("has `within` and only one group: groups are joined by &")
        return Rule(category, _score(score), groups, int(near[2]) if near else None)

    def _group(self, text: str) -> frozenset[int]:
        return frozenset(number for choice in text.split("|") for number in self._choice(choice.strip()))

    def _choice(self, text: str) -> frozenset[int]:
        if not text.startswith("@"):
            return frozenset([self.numbers.setdefault(_phrase(text), len(self.numbers))])
        if text[1:] not in self.named:
            raise Unreadable(f"says {text[:40]}, which no line above it names")
        return self.named[text[1:]]


def read_list(text: str) -> Rules:
    """Raises: ValueError that says which line is wrong, and how."""
    reading = _Reading()
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise ValueError(f"more than {MOST_LINES} lines")
    for number, line in enumerate(lines, 1):
        if (entry := line.strip()) and not entry.startswith("#"):
            try:
                reading.line(entry)
            except Unreadable as error:
                raise ValueError(f"line {number} {error}") from None
    if not reading.rules:
        raise ValueError("has no entry")
    return Rules(tuple(reading.numbers), tuple(reading.rules), tuple(reading.allowed))


def single_words(rules: Rules, *, begins: bool) -> dict[str, frozenset[int]]:
    """Phrases of one word, whole or only its beginning, as they are compared with what is disguised: `folded`."""
    found: dict[str, set[int]] = {}
    for number, (part, *more) in enumerate(rules.phrases):
        if not more and part.numbers is None and part.begins == begins:
            found.setdefault(folded(part.spelled), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


def _score(text: str | None) -> float:
    try:
        score = 1.0 if text is None else float(text)
    except ValueError:
        score = 0.0
    if not 0 < score <= 1:
        raise Unreadable("has a score that is not above 0 and at most 1")
    return score


def _phrase(text: str) -> Phrase:
    parts = tuple(part for piece in _PIECE.findall(text) for part in _parts(piece))
    if not parts:
        raise Unreadable("has an entry without a word")
    if len(parts) > MOST_WORDS:
        raise Unreadable(f"has a phrase of more than {MOST_WORDS} words")
    return parts


def _parts(piece: str) -> tuple[Part, ...]:
    if piece.startswith("<"):
        numbers = _NUMBERS.fullmatch(piece)
        if numbers is None or int(numbers[1]) > int(numbers[2]):
            raise Unreadable("has < > that is not <LEAST-MOST>")
        return (Part(numbers=(int(numbers[1]), int(numbers[2]))),)
    begins = piece.endswith("*")
    spelled = [word.spelled for word in words(plain(piece))]
    if begins and (not spelled or len(spelled[-1]) < LEAST_BEGINNING):
        raise Unreadable(f"has a * behind fewer than {LEAST_BEGINNING} letters")
    return tuple(Part(word, begins and place == len(spelled)) for place, word in enumerate(spelled, 1))
