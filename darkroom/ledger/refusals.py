"""Why a submission is refused. Both ledgers speak these words, so that callers cannot tell them apart."""

from darkroom.errors import IdempotencyMismatch, QueueFull, TenantLimit

_RETRY_AFTER_SECONDS = 5


def refuse_unless_taken(word: str) -> None:
    """Raise what a word of `scripts/submit.lua` stands for; nothing when it took the job."""
    match word:
        case "mismatch":
            raise IdempotencyMismatch("this Idempotency-Key was used with another request")
        case "queue_full":
            raise QueueFull("the service has as many jobs waiting as it takes", _RETRY_AFTER_SECONDS)
        case "tenant_limit":
            raise TenantLimit("you have as many jobs waiting as you may", _RETRY_AFTER_SECONDS)
        case "accepted" | "replayed":
            return
        case _:
            raise AssertionError(f"submit.lua answered {word!r}")
