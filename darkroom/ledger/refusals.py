"""Why a submission is refused. Both ledgers speak these words, so that callers cannot tell them apart."""

import math
from typing import Final

from darkroom.errors import IdempotencyMismatch, QueueFull, TenantLimit, TooLarge, TooLate

MOST_SECONDS: Final = 300  # what stands in line may be canceled, and other workers may come


def refuse_unless_taken(word: str, told_ms: int = 0) -> None:
    """Raise what a word of `scripts/submit.lua` stands for; nothing when it took the job."""
    match word:
        case "accepted" | "replayed":
            return
        case "mismatch":
            raise IdempotencyMismatch("this Idempotency-Key was used with another request")
        case "too_large":
            raise TooLarge(f"this would take about {told_ms / 1000:.0f} s of a device: more than one request may")
        case "queue_full":
            raise QueueFull("the service has as much work waiting as it takes", _retry_after(told_ms))
        case "tenant_limit":
            raise TenantLimit("you have as much work waiting as you may", _retry_after(told_ms))
        case "too_late":
            raise TooLate("it would not begin before its deadline", _retry_after(told_ms))
        case _:
            raise AssertionError(f"submit.lua answered {word!r}")


def _retry_after(wait_ms: int) -> int:
    """Seconds after which there may be room."""
    return min(max(1, math.ceil(wait_ms / 1000)), MOST_SECONDS)
