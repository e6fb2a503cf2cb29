"""What follows from an attempt."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from darkroom.contract.webhook import DeliveryState, LentDelivery, Verdict
from darkroom.settings import Settings
from darkroom.webhooks.schedule import LONGEST, after_attempt, asked_wait

SCHEDULE = (0.0, 5.0, 300.0)


def lent(turn: int = 0, event: str = "generation.succeeded") -> LentDelivery:
    return LentDelivery.model_validate(
        {"id": "msg_x_1", "tenant": "ann", "job_id": "x", "event": event, "url": "https://hooks.test/", "base": ""}
        | {"lane": "hooks.test ann", "created_at": 1.0, "number": turn + 1, "turn": turn, "body": None}
    )


def after(status: int | None, turn: int = 0, retry_after: str | None = None, draw: float = 0.5) -> Verdict:
    return after_attempt(lent(turn), status, retry_after, SCHEDULE, lambda: draw)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_a_2xx_is_a_receipt(status: int) -> None:
    assert after(status).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [None, 100, 199, 300, 302, 307, 400, 404, 429, 500, 503])
def test_all_else_is_tried_again(status: int | None) -> None:
    assert after(status) == Verdict(state=DeliveryState.PENDING, delay=5.0)


def test_delays_follow_the_schedule_give_or_take_a_tenth() -> None:
    assert [after(500, draw=draw).delay for draw in (0.0, 1.0)] == [4.5, 5.5]
    assert after(500, turn=1).delay == 300


def test_after_the_last_attempt_it_is_dead() -> None:
    assert after(500, turn=2) == Verdict(state=DeliveryState.DEAD, reason="attempts_exhausted")


def test_progress_is_tried_once() -> None:
    verdict = after_attempt(lent(event="generation.progress"), 500, None, SCHEDULE)
    assert verdict.state is DeliveryState.DEAD


def test_a_receiver_that_is_gone_is_left_alone() -> None:
    assert after(410) == Verdict(state=DeliveryState.DEAD, reason="endpoint_gone", disable=True)


def test_a_receiver_may_ask_for_time_within_bounds() -> None:
    assert after(429, retry_after="60").delay == 60
    assert after(503, retry_after="1").delay == 5
    assert after(503, retry_after="9" * 400).delay == LONGEST
    assert after(500, retry_after="60").delay == 5


def test_a_wait_is_asked_for_in_seconds_or_by_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < asked_wait(soon) <= 100
    odd = (None, "", "soon", "-5", "1.5", "٣", "Mon, 01 Jan 0001 00:00:00 -2300")
    assert [asked_wait(text) for text in odd] == [0] * len(odd)


@pytest.mark.parametrize(
    "date", [f"1 Jan {'9' * 20} 00:00:00 GMT", f"1 Jan 2026 {'9' * 14}:00:00 GMT", f"1 Jan 2026 00:00:00 +{'9' * 14}"]
)
def test_a_date_beyond_all_numbers_is_no_wait_and_no_error(date: str) -> None:
    assert after(503, retry_after=date).delay == 5


def test_the_default_schedule_is_that_of_svix() -> None:
    assert Settings().webhook_schedule == (0, 5, 300, 1800, 7200, 18000, 36000, 36000)
