"""What follows from what checkers say, or do not say."""

from typing import Any

import pytest

from darkroom.errors import SafetyUnavailable
from darkroom.metrics import Metrics
from tests.checkers import CLEAN, SEXUAL, Scripted, screen


@pytest.mark.parametrize(
    ("policy", "scores", "action"),
    [
        ("annotate", CLEAN, "passed"),
        ("annotate", SEXUAL, "annotated"),
        ("block", CLEAN, "passed"),
        ("block", SEXUAL, "blocked"),
    ],
)
def test_what_is_done_follows_from_policy_and_scores(policy: Any, scores: Any, action: str) -> None:
    verdict = screen(Scripted(scores)).look("output", policy, "images.0", "seen").verdict
    assert verdict is not None
    assert (verdict.action, verdict.flagged, verdict.categories) == (action, scores is SEXUAL, scores)
    assert verdict.reached == ({"sexual": 0.8} if scores is SEXUAL else {})
    assert [checker.name for checker in verdict.checkers] == ["scripted"]


def test_nobody_is_asked_where_the_policy_is_off() -> None:
    checker = Scripted(SEXUAL)
    assert screen(checker).look("output", "off", "images.0", "seen").verdict is None
    assert checker.seen == []


@pytest.mark.parametrize(("score", "flagged"), [(0.4999, False), (0.5, True), (1.0, True)])
def test_a_score_is_flagged_from_its_threshold_on(score: float, flagged: bool) -> None:
    verdict = screen(Scripted({"gore": score}), gore=0.5).look("input", "block", "image", "seen").verdict
    assert verdict is not None
    assert verdict.flagged == flagged
    if flagged:
        assert verdict.reason == f"image was flagged: gore {score:.2f} (threshold 0.50)"


def test_of_several_checkers_the_highest_score_counts() -> None:
    both = screen(Scripted({"sexual": 0.2, "gore": 0.9}, "a"), Scripted({"sexual": 0.85}, "b"))
    verdict = both.look("output", "block", "images.0", "seen").verdict
    assert verdict is not None
    assert verdict.categories == {"gore": 0.9, "sexual": 0.85}
    assert list(verdict.reached) == ["gore", "sexual"]


def test_of_several_views_of_one_thing_the_worst_counts() -> None:
    scores = {"whole": {"sexual": 0.2, "gore": 0.7}, "part": {"sexual": 0.9}}
    verdict = screen(Scripted(scores.__getitem__)).look("output", "block", "images.0", "whole", "part").verdict
    assert verdict is not None
    assert (verdict.action, verdict.categories) == ("blocked", {"gore": 0.7, "sexual": 0.9})
    assert len(verdict.checkers) == 1


def broken(name: str = "broken") -> Scripted:
    checker = Scripted(name=name)
    checker.broken = True
    return checker


def test_what_nobody_looked_at_goes_no_further_under_block() -> None:
    for checkers in ([], [broken()], [Scripted(CLEAN), broken()]):
        with pytest.raises(SafetyUnavailable, match=r"images\.0 was not looked at"):
            screen(*checkers).look("output", "block", "images.0", "seen")


def test_what_one_checker_flags_is_blocked_though_another_is_silent() -> None:
    found = screen(broken(), Scripted(SEXUAL)).look("output", "block", "images.0", "seen")
    assert found.verdict is not None
    assert found.verdict.action == "blocked"


def test_what_nobody_looked_at_goes_on_under_annotate_and_is_told() -> None:
    found = screen(broken()).look("output", "annotate", "images.0", "seen")
    assert (found.verdict, found.silent) == (None, ("broken",))
    partly = screen(broken(), Scripted(SEXUAL)).look("output", "annotate", "images.0", "seen")
    assert partly.verdict is not None
    assert (partly.verdict.action, partly.silent) == ("annotated", ("broken",))


def test_a_checker_that_breaks_its_promise_has_not_looked() -> None:
    def fail(seen: Any) -> Any:
        raise RuntimeError("not what was promised")

    with pytest.raises(SafetyUnavailable):
        screen(Scripted(fail)).look("output", "block", "images.0", "seen")


def test_every_look_is_counted() -> None:
    metrics = Metrics()
    look = screen(Scripted(SEXUAL, "a"), Scripted(CLEAN, "b"), broken("c"), metrics=metrics).look
    look("output", "block", "images.0", "seen")
    counted = metrics.render().decode()
    for checker, outcome in (("a", "flagged"), ("b", "clean"), ("c", "unavailable")):
        labels = f'checker="{checker}",outcome="{outcome}",stage="output"'
        assert f"darkroom_safety_checks_total{{{labels}}} 1.0" in counted
    assert 'darkroom_safety_verdicts_total{action="blocked",stage="output"} 1.0' in counted
