"""A generation to its end: through cut streams, restarts, news of a newer gateway, and interrupts."""

import asyncio
import json
from typing import Any

import pytest

from darkroom.client import Busy, GatewayAway, NotAllowed, NotMade, TimedOut
from darkroom.client.flows import following
from darkroom.client.flows.following import MOST_FAILURES, events, made
from darkroom.client.steps import Answer, Send, Sleep, Step, Tell
from tests.unit.client.playing import ID, answer, document, play, problem, requests_of

OPENED = answer(200, b"")
CUT = GatewayAway("the connection broke")


def told(steps: list[Step]) -> list[Any]:
    return [step.value for step in steps if isinstance(step, Tell)]


def names(steps: list[Step]) -> list[str]:
    return [event.name for event in told(steps)]


def event(number: int, name: str, **data: Any) -> list[str]:
    written = json.dumps({"id": f"{number}-0", "job_id": ID, "name": name, "at": 1.0, "data": data, "newer": 1})
    return [f"id: {number}-0", f"event: {name}", f"data: {written}", ""]


def test_a_stream_is_followed_to_its_end_and_no_further() -> None:
    lines = ["retry: 2000", "", ": ping", "", *event(1, "running"), *event(2, "succeeded")]
    result, steps = play(events(ID), OPENED, *lines)
    assert result is None
    assert names(steps) == ["running", "succeeded"]


def test_a_stream_that_is_cut_goes_on_after_the_last_whole_event() -> None:
    half = event(2, "progress", step=1, steps=2)[:3]
    _, steps = play(
        events(ID), OPENED, *event(1, "running"), *half, None, CUT, OPENED, *event(2, "progress"), *event(3, "failed")
    )
    asked = [request.headers.get("Last-Event-ID") for request in requests_of(steps)]
    assert asked == [None, "1-0", "1-0"]
    assert names(steps) == ["running", "progress", "failed"]


def test_events_begin_after_the_one_that_was_seen() -> None:
    result, steps = play(events(ID, "7-0"), answer(204, b""))
    assert requests_of(steps)[0].headers["Last-Event-ID"] == "7-0"
    assert (result, told(steps)) == (None, [])


def test_news_of_a_newer_gateway_are_passed_over_and_not_asked_for_again() -> None:
    _, steps = play(events(ID), OPENED, *event(1, "sparkles"), CUT, OPENED, *event(2, "canceled"))
    assert requests_of(steps)[1].headers["Last-Event-ID"] == "1-0"
    assert names(steps) == ["canceled"]


def test_a_gateway_that_stays_away_is_given_up() -> None:
    result, steps = play(events(ID), *[CUT] * MOST_FAILURES)
    assert result is CUT
    assert len(requests_of(steps)) == MOST_FAILURES


def test_streams_that_end_at_once_are_given_up_too() -> None:
    result, _ = play(events(ID), *[OPENED, "retry: 2000", "", None] * MOST_FAILURES)
    assert isinstance(result, GatewayAway)


def test_a_stream_that_only_pings_is_never_given_up() -> None:
    silent = [OPENED, ": ping", "", None] * (MOST_FAILURES + 1)
    result, _ = play(events(ID), *silent, OPENED, *event(1, "succeeded"))
    assert result is None


def test_a_gateway_with_too_many_listeners_is_asked_again_when_it_says() -> None:
    busy = answer(429, problem(429, retryable=True), retry_after="4")
    _, steps = play(events(ID), busy, OPENED, *event(1, "succeeded"))
    assert [step.seconds for step in steps if isinstance(step, Sleep)] == [4.0]
    assert isinstance(play(events(ID), *[busy] * MOST_FAILURES)[0], Busy)


def test_a_refusal_ends_the_following() -> None:
    result, _ = play(events(ID), answer(401, problem(401)))
    assert isinstance(result, NotAllowed)


def submitted(*rest: Any, within: float | None = None) -> tuple[Any, list[Step]]:
    return play(made({"prompt": "x"}, "key", within, 0), answer(202, document()), *rest)


def test_what_was_made_is_the_record_of_its_end() -> None:
    result, steps = submitted(OPENED, *event(1, "succeeded"), answer(200, document("succeeded")))
    assert (result.state, len(result.images)) == ("succeeded", 1)
    assert told(steps)[0].id == ID


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        ("failed", "nan_output", "the generation failed: not a number"),
        ("canceled", "canceled", "the generation canceled: no picture was made"),
        ("expired", "expired", "the generation expired: no picture was made"),
    ],
)
def test_an_end_without_pictures_is_an_error_that_has_the_record(state: str, code: str, words: str) -> None:
    error, _ = submitted(OPENED, *event(1, state), answer(200, document(state)))
    assert isinstance(error, NotMade)
    assert (error.code, str(error)) == (code, words)
    assert error.generation
    assert error.generation.state == state


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_an_interrupt_cancels_and_goes_on_up(interrupt: BaseException) -> None:
    error, steps = submitted(OPENED, *event(1, "running"), interrupt, answer(200, document("canceled")))
    assert error is interrupt
    assert (requests_of(steps)[-1].method, requests_of(steps)[-1].path) == ("DELETE", f"/api/v1/generations/{ID}")


def test_an_interrupt_while_the_caller_looks_at_the_record_cancels_as_well() -> None:
    flow = made({"prompt": "x"}, "key", None, 0)
    next(flow)
    assert isinstance(flow.send(answer(202, document())), Tell)
    step = flow.throw(KeyboardInterrupt())
    assert isinstance(step, Send)
    assert step.request.method == "DELETE"


def test_a_cancellation_that_fails_hides_no_interrupt() -> None:
    interrupt = KeyboardInterrupt()
    assert submitted(OPENED, interrupt, CUT)[0] is interrupt


def test_an_end_of_patience_cancels_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(following.time, "monotonic", lambda: float(next(clock)))
    error, steps = submitted(OPENED, ": ping", ": ping", answer(200, document("canceled")), within=3.0)
    assert isinstance(error, TimedOut)
    assert requests_of(steps)[-1].method == "DELETE"


def test_an_error_of_the_callers_own_ends_the_wait_and_cancels_nothing() -> None:
    mistake = ValueError("in on_event")
    error, steps = submitted(OPENED, mistake)
    assert error is mistake
    assert "DELETE" not in [request.method for request in requests_of(steps)]


def test_a_stream_has_no_more_silence_than_is_left_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following.time, "monotonic", lambda: 100.0)
    flow = events(ID, until=102.0)
    step = next(flow)
    assert getattr(step, "silence", None) == 2.0
    assert isinstance(OPENED, Answer)
