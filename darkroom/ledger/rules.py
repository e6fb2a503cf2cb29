"""The numbers a ledger works by. Both ledgers read them here; all durations are whole milliseconds."""

from dataclasses import dataclass

from darkroom.contract.job import Failure
from darkroom.errors import AttemptsExhausted
from darkroom.settings import Settings

DAY_MS = 24 * 3600 * 1000

LEASE_LOST = "lease lost"
EXHAUSTED = Failure(
    code=AttemptsExhausted.code,
    message="every worker that tried this job died or fell silent, the last of them so: ",
    retryable=AttemptsExhausted.retryable,
)


def exhausted(ended: str) -> Failure:
    """Why a job is given up; `ended` is how its last attempt did."""
    return EXHAUSTED.model_copy(update={"message": EXHAUSTED.message + ended})


@dataclass(frozen=True)
class Rules:
    """`bulk_every`: one job in so many is looked for among bulk first. `half_life_ms`: after so long, device seconds
    used weigh half. `sweep`: most jobs of one kind that one `reap` touches, so that no script holds the server long.
    `max_disabled`: most endpoints of a tenant that are left alone. `outlook_tenants`: how many at a desk are
    looked at to say when a job's turn will come. `long_ms`: a job that waits for so long waits for something, even
    where nobody stands before it. `attempts_kept`: of one delivery, the latest.
    `preview_ttl_ms`: how long a job's preview frames are kept after the last of them, if nothing ends it.
    `max_preferences`: most that a tenant may prefer of one kind; kept for `preferences_ttl_ms` after their last use.

    A lost attempt is tried again at once, the next after `retry_ms`, and then each after twice the time; alone if its
    worker's process died, or for the `alone_after`th time.
    """

    lease_ms: int = 15_000
    max_attempts: int = 3
    retry_ms: int = 5_000
    retry_most_ms: int = 60_000
    alone_after: int = 2
    max_queued: int = 10_000
    max_queued_per_tenant: int = 1_000
    max_queued_ms: int = DAY_MS
    max_job_ms: int = 900_000
    result_ttl_ms: int = 7 * DAY_MS
    idempotency_ttl_ms: int = DAY_MS
    half_life_ms: int = 60_000
    bulk_every: int = 5
    sweep: int = 200
    max_disabled: int = 1_000
    outlook_tenants: int = 100
    long_ms: int = 2_000
    attempts_kept: int = 50
    preview_ttl_ms: int = 300_000
    max_preferences: int = 64
    preferences_ttl_ms: int = 90 * DAY_MS

    @classmethod
    def from_settings(cls, settings: Settings) -> "Rules":
        return cls(
            lease_ms=milliseconds(settings.lease_seconds),
            max_attempts=settings.max_attempts,
            alone_after=max(1, min(cls.alone_after, settings.max_attempts - 1)),  # the last is always made alone
            max_queued=settings.max_queued,
            max_queued_per_tenant=settings.max_queued_per_tenant,
            max_queued_ms=milliseconds(settings.max_queued_seconds),
            max_job_ms=milliseconds(settings.max_job_seconds),
            result_ttl_ms=settings.result_ttl * 1000,
        )

    def retry_delay_ms(self, attempt: int) -> int:
        """How long after the loss of attempt number `attempt` the next may begin."""
        return min(self.retry_ms * int(2 ** (attempt - 2)), self.retry_most_ms) if attempt > 1 else 0


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
