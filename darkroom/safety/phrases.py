"""Many phrases at once: found in one pass over a text, however many there are."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from darkroom.safety.spelling import Word

MOST_WORDS: Final = 8  # of one phrase


class Span(NamedTuple):
    """Places of its first and its last word."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Part:
    """One word of a phrase: as it is, or what it begins with, or a number between two."""

    spelled: str = ""
    begins: bool = False
    numbers: tuple[int, int] | None = None


Phrase = tuple[Part, ...]


@dataclass(slots=True)
class _Node:
    """What may come next; `ends` are the phrases that are whole here."""

    words: dict[str, "_Node"] = field(default_factory=dict)
    beginnings: dict[str, "_Node"] = field(default_factory=dict)
    lengths: set[int] = field(default_factory=set)
    numbers: dict[tuple[int, int], "_Node"] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)

    def below(self, part: Part) -> "_Node":
        if part.numbers is not None:
            return self.numbers.setdefault(part.numbers, _Node())
        if part.begins:
            self.lengths.add(len(part.spelled))
            return self.beginnings.setdefault(part.spelled, _Node())
        return self.words.setdefault(part.spelled, _Node())

    def after(self, word: Word) -> Iterator["_Node"]:
        if (exact := self.words.get(word.spelled)) is not None:
            yield exact
        for length in self.lengths:
            if (node := self.beginnings.get(word.spelled[:length])) is not None:
                yield node
        if word.number is not None:
            yield from (node for (least, most), node in self.numbers.items() if least <= word.number <= most)


class Phrases:
    """Each has the number of its place in `phrases`."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._root = _Node()
        for number, phrase in enumerate(phrases):
            node = self._root
            for part in phrase:
                node = node.below(part)
            node.ends.append(number)

    def spans(self, words: Sequence[Word]) -> Mapping[int, list[Span]]:
        """Where each phrase stands that the text has; those whose words are others' are found as well."""
        found: dict[int, list[Span]] = defaultdict(list)
        for start, word in enumerate(words):
            nodes = list(self._root.after(word))
            last = start
            while nodes:
                for node in nodes:
                    for number in node.ends:
                        found[number].append(Span(word.at, words[last].at))
                last += 1
                nodes = [below for node in nodes for below in node.after(words[last])] if last < len(words) else []
        return found
