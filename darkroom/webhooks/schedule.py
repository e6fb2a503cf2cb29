"""What follows from an attempt. The schedule is that of Svix: https://docs.svix.com/retries"""

import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from darkroom.contract.webhook import PROGRESS, DeliveryState, LentDelivery, Verdict

JITTER: Final = 0.1  # of a delay, either way: an outage's deliveries do not all come back in one second
LONGEST: Final = 10 * 3600.0  # seconds that a receiver may ask us to stay away
GONE: Final = 410
_ASKED_TO_WAIT = frozenset({429, 503})

Random = Callable[[], float]


def after_attempt(
    lent: LentDelivery,
    status: int | None,
    retry_after: str | None,
    schedule: Sequence[float],
    draw: Random = random.random,
) -> Verdict:
    """`status` is None without an answer. `schedule` has the seconds before each attempt, the first included."""
    if status is not None and 200 <= status < 300:
        return Verdict(state=DeliveryState.DELIVERED)
    if status == GONE:
        return Verdict(state=DeliveryState.DEAD, reason="endpoint_gone", disable=True)
    following = lent.turn + 1
    if following >= len(schedule) or lent.event == PROGRESS:
        return Verdict(state=DeliveryState.DEAD, reason="attempts_exhausted")
    delay = schedule[following] * (1 + JITTER * (2 * draw() - 1))
    if status in _ASKED_TO_WAIT:
        delay = max(delay, min(asked_wait(retry_after), LONGEST))
    return Verdict(state=DeliveryState.PENDING, delay=delay)


def asked_wait(retry_after: str | None) -> float:
    """Seconds that a Retry-After asks for, in either of its forms; 0 for what is none."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter of a year, an hour or a zone that no machine word holds
        return 0.0
    seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
