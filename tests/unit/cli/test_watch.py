"""What `up` says when its worker stops being ready."""

from types import SimpleNamespace
from typing import Any

from darkroom.cli.watch import WorkerWatch


def lines_of(*looks: tuple[str, str, str] | None) -> list[str | None]:
    """What is said at each look after the first."""
    left: list[Any] = [look and SimpleNamespace(worker=look[0], state=look[1], detail=look[2]) for look in looks]
    watch = WorkerWatch(lambda: left.pop(0))
    return [watch.news() for _ in looks[1:]]


def test_a_worker_that_stays_ready_is_not_mentioned() -> None:
    assert lines_of(("a", "ready", ""), ("a", "ready", ""), ("a", "ready", "")) == [None, None]


def test_a_child_that_keeps_dying_is_told_once_with_its_reason() -> None:
    died = ("a", "loading", "the child ended with -9")
    assert lines_of(("a", "ready", ""), died, ("b", "loading", ""), died, ("c", "loading", "")) == [
        "the worker is no longer ready: loading, the child ended with -9",
        None,
        None,
        None,
    ]


def test_readiness_that_comes_back_is_told() -> None:
    assert lines_of(("a", "ready", ""), ("b", "loading", ""), ("b", "ready", "")) == [
        "the worker is no longer ready: loading",
        "the worker is ready again",
    ]


def test_a_replacement_between_two_looks_is_told() -> None:
    assert lines_of(("a", "ready", ""), ("b", "ready", "")) == ["the worker had ended; another took its place"]


def test_a_supervisor_that_is_gone_is_told() -> None:
    assert lines_of(("a", "ready", ""), None) == ["the worker is no longer ready: its process has ended"]
