"""Why a submission is refused. Both ledgers speak these words, so that callers cannot tell them apart."""

from darkroom.errors import DarkroomError, IdempotencyMismatch, QueueFull, TenantLimit

_RETRY_AFTER_SECONDS = 5


def refusal(word: str) -> DarkroomError | None:
    """The error for a word of `scripts/submit.lua`; None when it took the job."""
    match word:
        case "mismatch":
            return IdempotencyMismatch("this Idempotency-Key was used with another request")
        case "queue_full":
            return QueueFull("the service has as many jobs waiting as it takes", _RETRY_AFTER_SECONDS)
        case "tenant_limit":
            return TenantLimit("you have as many jobs waiting as you may", _RETRY_AFTER_SECONDS)
        case "accepted" | "replayed":
            return None
        case _:
            raise AssertionError(f"submit.lua answered {word!r}")
