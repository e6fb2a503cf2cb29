"""Whatever goes wrong in a checker is told as SafetyUnavailable, without what was checked."""

import math

import pytest

from darkroom.errors import SafetyUnavailable
from darkroom.safety.answering import answering, sound


@pytest.mark.parametrize("error", [ValueError, KeyError, RecursionError, MemoryError, OSError, UnicodeError])
def test_whatever_goes_wrong_is_safety_unavailable(error: type[Exception]) -> None:
    with pytest.raises(SafetyUnavailable, match=r"^the safety checker list gave no answer$"), answering("list"):
        raise error("a prompt")


def test_what_is_told_already_is_told_unchanged() -> None:
    with pytest.raises(SafetyUnavailable, match=r"^busy$"), answering("list"):
        raise SafetyUnavailable("busy")


def test_a_stop_is_no_failure_of_a_checker() -> None:
    with pytest.raises(KeyboardInterrupt), answering("list"):
        raise KeyboardInterrupt


def test_the_log_names_the_checker_and_not_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SafetyUnavailable), answering("list"):
        raise ValueError("a secret prompt")
    logged = "".join(capsys.readouterr())
    assert "checker.failed" in logged
    assert "list" in logged
    assert "secret" not in logged


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, -0.001, 1.001])
def test_a_score_that_is_none_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        sound({"sexual": 0.5, "gore": score})


def test_scores_are_plain_numbers() -> None:
    assert sound({"sexual": 0, "gore": 1}) == {"sexual": 0.0, "gore": 1.0}
