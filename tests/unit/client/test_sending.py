"""One request: what it is repeated for, and what its refusals become."""

import pytest
from pydantic import BaseModel

from darkroom.client import (
    BadRequest,
    Busy,
    Conflict,
    GatewayAway,
    NotAllowed,
    NotFound,
    Refused,
    ServerFault,
    UnexpectedAnswer,
)
from darkroom.client.flows.generations import submitted
from darkroom.client.flows.sending import MOST_PAUSE_SECONDS, answered, parsed
from darkroom.client.steps import Request, Sleep, Step
from tests.unit.client.playing import answer, document, play, problem, requests_of

GET = Request("GET", "/x")
ONCE = Request("POST", "/x", repeatable=False)
CUT = GatewayAway("the connection broke")
UNSENT = GatewayAway("refused", unsent=True)
BUSY = answer(429, problem(429, "tenant_limit", retryable=True), retry_after="3")


def pauses(steps: list[Step]) -> list[float]:
    return [step.seconds for step in steps if isinstance(step, Sleep)]


def test_a_broken_connection_is_tried_again_after_longer_and_longer_pauses() -> None:
    result, steps = play(answered(GET, 3), CUT, CUT, CUT, answer())
    assert result == answer()
    first, second, third = pauses(steps)
    assert 0.1 <= first <= 0.25 < second <= 0.5 < third <= 1.0 or first < second * 2 < third * 4


def test_who_stays_away_is_given_up() -> None:
    result, steps = play(answered(GET, 2), CUT, CUT, CUT)
    assert result is CUT
    assert len(requests_of(steps)) == 3


def test_a_generation_is_asked_for_again_under_the_same_key() -> None:
    result, steps = play(submitted({"prompt": "x"}, None, 2), CUT, CUT, answer(202, document()))
    keys = {request.headers["Idempotency-Key"] for request in requests_of(steps)}
    assert result.state == "queued"
    assert len(requests_of(steps)) == 3
    assert len(keys) == 1
    assert len(keys.pop()) >= 32


def test_no_two_generations_share_a_key() -> None:
    _, one = play(submitted({"prompt": "x"}, None, 0), answer(202, document()))
    _, other = play(submitted({"prompt": "x"}, None, 0), answer(202, document()))
    assert requests_of(one)[0].headers != requests_of(other)[0].headers


def test_what_must_not_be_done_twice_is_repeated_only_if_nothing_of_it_was_sent() -> None:
    assert play(answered(ONCE, 3), CUT)[0] is CUT
    assert play(answered(ONCE, 3), UNSENT, answer())[0] == answer()


def test_a_busy_gateway_is_asked_again_when_it_says() -> None:
    result, steps = play(answered(ONCE, 3), BUSY, answer())
    assert result == answer()
    assert pauses(steps) == [3.0]


def test_a_gateway_that_is_busy_for_long_is_left_to_the_caller() -> None:
    later = str(int(MOST_PAUSE_SECONDS) + 1)
    result, steps = play(answered(GET, 3), answer(503, problem(503, retryable=True), retry_after=later))
    assert isinstance(result, Busy)
    assert (result.retry_after, len(steps)) == (float(later), 1)


@pytest.mark.parametrize("status", [409, 422, 429, 500, 503])
def test_what_says_that_it_is_final_is_not_asked_again(status: int) -> None:
    result, steps = play(answered(GET, 3), answer(status, problem(status)))
    assert isinstance(result, Refused)
    assert len(steps) == 1


def test_a_proxys_page_is_tried_again_and_then_told_by_its_status() -> None:
    page = answer(502, b"<html>")
    result, steps = play(answered(GET, 1), page, page)
    assert isinstance(result, UnexpectedAnswer)
    assert (result.status, len(requests_of(steps))) == (502, 2)
    assert play(answered(ONCE, 1), page)[0].status == 502


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((400, BadRequest), (413, BadRequest), (415, BadRequest), (422, BadRequest), (401, NotAllowed)),
        *((403, NotAllowed), (404, NotFound), (410, NotFound), (409, Conflict), (429, Busy), (503, Busy)),
        *((500, ServerFault), (418, ServerFault)),
    ],
)
def test_a_problem_becomes_an_error_of_what_can_be_done_about_it(status: int, kind: type[Refused]) -> None:
    wrong = [{"field": "steps", "detail": "too many"}, {"field": "n", "detail": "too few"}]
    error, _ = play(answered(GET, 0), answer(status, problem(status, "bad", field="steps", errors=wrong)))
    assert type(error) is kind
    assert (error.code, error.status, error.field, error.retryable) == ("bad", status, "steps", False)
    assert str(error) == error.detail == "because of bad"
    assert error.errors == (("steps", "too many"), ("n", "too few"))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"code": "x"}', b"\xff", b'"words"'])
def test_an_error_that_is_no_problem_document_is_told_by_its_status(body: bytes) -> None:
    error, _ = play(answered(GET, 0), answer(500, body))
    assert isinstance(error, UnexpectedAnswer)
    assert str(error) == "HTTP 500 from http://gateway/x"


class Known(BaseModel):
    model_config = {"extra": "forbid"}
    a: int


class Nested(BaseModel):
    known: Known


def test_fields_that_a_newer_gateway_adds_are_left_out() -> None:
    found = parsed(answer(200, {"known": {"a": 1, "newer": 2}, "new": 3}), Nested)
    assert found == Nested(known=Known(a=1))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"known": {}}', b"[]"])
def test_what_is_no_document_of_ours_is_unexpected(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer, match="is no Nested that this version knows"):
        parsed(answer(200, body), Nested)
