"""The numbers a ledger works by. Both ledgers read them here; all durations are whole milliseconds."""

from dataclasses import dataclass

from darkroom.contract.job import Failure
from darkroom.errors import AttemptsExhausted
from darkroom.settings import Settings

DAY_MS = 24 * 3600 * 1000

EXHAUSTED = Failure(
    code=AttemptsExhausted.code,
    message="every worker that tried this job died or fell silent",
    retryable=AttemptsExhausted.retryable,
)


@dataclass(frozen=True)
class Rules:
    """`bulk_every`: one job in so many is looked for among bulk first. `half_life_ms`: after so long, device seconds
    used weigh half. `sweep`: most jobs of one kind that one `reap` touches, so that no script holds the server long."""

    lease_ms: int = 15_000
    max_attempts: int = 3
    max_queued: int = 10_000
    max_queued_per_tenant: int = 1_000
    result_ttl_ms: int = 7 * DAY_MS
    idempotency_ttl_ms: int = DAY_MS
    half_life_ms: int = 60_000
    bulk_every: int = 5
    sweep: int = 200

    @classmethod
    def from_settings(cls, settings: Settings) -> "Rules":
        return cls(
            lease_ms=milliseconds(settings.lease_seconds),
            max_attempts=settings.max_attempts,
            max_queued=settings.max_queued,
            max_queued_per_tenant=settings.max_queued_per_tenant,
            result_ttl_ms=settings.result_ttl * 1000,
        )


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
