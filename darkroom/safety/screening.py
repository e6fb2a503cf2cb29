"""Has all checkers of one kind look at something, and says what follows under a policy."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from darkroom.contract.safety import CheckerSeen, Policy, SafetyVerdict, Stage
from darkroom.errors import SafetyUnavailable
from darkroom.log import get_logger
from darkroom.metrics import Metrics
from darkroom.safety.answering import answering
from darkroom.safety.judging import Thresholds, highest, judged
from darkroom.safety.protocol import Scores

Seen = TypeVar("Seen", contravariant=True)

log = get_logger(__name__)


class Checker(Protocol[Seen]):
    """A `PromptChecker` or a `PictureChecker`."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def scores(self, seen: Seen, /) -> Scores: ...


@dataclass(frozen=True)
class Finding:
    """`silent` names checkers that did not answer. There is no verdict where none did, or nobody was to look."""

    verdict: SafetyVerdict | None = None
    silent: tuple[str, ...] = ()


UNSEEN = Finding()


class Screen(Generic[Seen]):
    """Blocks for as long as its checkers do: not for an event loop, nor for the engine's thread."""

    def __init__(self, checkers: Sequence[Checker[Seen]], thresholds: Thresholds, metrics: Metrics) -> None:
        self._checkers = tuple(checkers)
        self._thresholds = thresholds
        self._metrics = metrics

    @property
    def checkers(self) -> tuple[CheckerSeen, ...]:
        return tuple(CheckerSeen(name=each.name, version=each.version) for each in self._checkers)

    def look(self, stage: Stage, policy: Policy, subject: str, *seen: Seen) -> Finding:
        """What was found in `seen`, which are views of one subject: the worst counts. What one checker flags is
        flagged, whether or not the others answer.

        Raises: SafetyUnavailable where it must not go on unseen, and somebody did not look.
        """
        if policy == "off":
            return UNSEEN
        found: list[tuple[CheckerSeen, Scores]] = []
        silent: list[str] = []
        for checker in self._checkers:
            scores = self._asked(checker, stage, seen)
            if scores is None:
                silent.append(checker.name)
            else:
                found.append((CheckerSeen(name=checker.name, version=checker.version), scores))
        if not found:
            return self._unseen(policy, subject, silent)
        verdict = judged(stage, policy, subject, found, self._thresholds)
        if silent and policy == "block" and not verdict.flagged:
            return self._unseen(policy, subject, silent)
        self._metrics.judged(stage=stage, action=verdict.action)
        return Finding(verdict, tuple(silent))

    def unanswered(self, stage: Stage, policy: Policy, subject: str) -> Finding:
        """What follows where the checkers hang. Raises: SafetyUnavailable where it must not go on unseen."""
        log.error("checker.hung", stage=stage)
        for checker in self._checkers:
            self._metrics.checked(stage=stage, checker=checker.name, outcome="unavailable", seconds=0.0)
        return self._unseen(policy, subject, [checker.name for checker in self._checkers])

    def _asked(self, checker: Checker[Seen], stage: Stage, seen: Sequence[Seen]) -> Scores | None:
        began, outcome = time.perf_counter(), "unavailable"
        scores: Scores | None
        try:
            with answering(checker.name):
                scores = highest(checker.scores(each) for each in seen)
            outcome = "flagged" if self._thresholds.reached(scores) else "clean"
        except SafetyUnavailable as error:
            log.warning("safety.unavailable", stage=stage, checker=checker.name, reason=error.detail)
            scores = None
        finally:
            took = time.perf_counter() - began
            self._metrics.checked(stage=stage, checker=checker.name, outcome=outcome, seconds=took)
        return scores

    def _unseen(self, policy: Policy, subject: str, silent: Sequence[str]) -> Finding:
        """Raises: SafetyUnavailable."""
        if policy != "block":
            return Finding(None, tuple(silent))
        why = f"{', '.join(silent)} did not answer" if silent else "there is nothing here to look at it with"
        raise SafetyUnavailable(f"{subject} was not looked at, and must be before it goes on: {why}")
