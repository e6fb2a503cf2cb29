"""What a list asks for: phrases, alone or near one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darkroom.safety.phrases import Phrase, Span


@dataclass(frozen=True, slots=True)
class Rule:
    """Flagged with `score` where of each group one phrase stands, all within so many words (None: anywhere)."""

    category: str
    score: float
    groups: tuple[frozenset[int], ...]
    within: int | None = None

    def holds(self, spans: Mapping[int, Sequence[Span]], anywhere: frozenset[int]) -> bool:
        """`anywhere` are phrases that stand in the text, nobody knows where: they are near to everything."""
        open_ = [group for group in self.groups if not group & anywhere]
        places = [[span for number in group & spans.keys() for span in spans[number]] for group in open_]
        if not all(places):
            return False
        return self.within is None or len(places) < 2 or _together(places, self.within)


def _together(places: Sequence[Sequence[Span]], within: int) -> bool:
    """Whether one of each stand within so many words: the latest of each that has begun, seen from every end."""
    ordered = sorted((span.last, span.first, kind) for kind, spans in enumerate(places) for span in spans)
    latest: dict[int, int] = {}
    for last, first, kind in ordered:
        latest[kind] = max(first, latest.get(kind, 0))
        if len(latest) == len(places) and last - min(latest.values()) < within:
            return True
    return False


@dataclass(frozen=True)
class Rules:
    """`phrases` are those of all rules; of `allowed` no word counts."""

    phrases: tuple[Phrase, ...]
    rules: tuple[Rule, ...]
    allowed: tuple[Phrase, ...]
