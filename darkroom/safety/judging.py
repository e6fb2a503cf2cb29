"""Scores and thresholds -> what is flagged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from darkroom.contract.safety import CheckerSeen, Policy, SafetyVerdict, Stage
from darkroom.safety.protocol import Scores

# Where Yahoo's authors have it: "scores > 0.8 indicate that the image is NSFW with high probability".
LIKELY: Final = 0.8


@dataclass(frozen=True)
class Thresholds:
    """By category, from 0 to 1; `others` is for those that nothing is said of."""

    by_category: Mapping[str, float] = field(default_factory=dict)
    others: float = LIKELY

    def reached(self, scores: Scores) -> dict[str, float]:
        """The thresholds that scores reach, by category."""
        lows = {category: self.by_category.get(category, self.others) for category in sorted(scores)}
        return {category: low for category, low in lows.items() if scores[category] >= low}


def highest(answers: Iterable[Scores]) -> dict[str, float]:
    """Of each category the highest score."""
    scores: dict[str, float] = {}
    for answer in answers:
        for category, score in answer.items():
            scores[category] = max(score, scores.get(category, 0.0))
    return scores


def judged(
    stage: Stage, policy: Policy, subject: str, found: Iterable[tuple[CheckerSeen, Scores]], thresholds: Thresholds
) -> SafetyVerdict:
    """What several checkers found in one thing: of each category the highest score counts."""
    answers = tuple(found)
    categories = highest(scores for _, scores in answers)
    reached = thresholds.reached(categories)
    flagged = "blocked" if policy == "block" else "annotated"
    return SafetyVerdict(
        stage=stage,
        subject=subject,
        flagged=bool(reached),
        categories=dict(sorted(categories.items())),
        reached=reached,
        checkers=tuple(checker for checker, _ in answers),
        action=flagged if reached else "passed",
    )
