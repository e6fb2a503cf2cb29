"""What is refused for now: too much to do, or something we stand on is away."""

from darkroom.errors.base import DarkroomError


class CapacityError(DarkroomError):
    """Refused for load; `retry_after` is in seconds."""

    code, status, retryable = "over_capacity", 503, True

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RateLimited(CapacityError):
    code, status = "rate_limited", 429


class TenantLimit(CapacityError):
    code, status = "tenant_limit", 429


class QueueFull(CapacityError):
    code = "queue_full"


class TooLate(CapacityError):
    """What waits already would keep it from beginning before its deadline."""

    code = "deadline_too_soon"


class UnavailableError(DarkroomError):
    """A dependency is away; `retry_after` is in seconds."""

    code, status, retryable = "unavailable", 503, True

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    def anew(self) -> "UnavailableError":
        """The same once more, for whoever asks while it is away."""
        return type(self)(self.detail, self.retry_after)


class LedgerUnavailable(UnavailableError):
    code = "ledger_unavailable"


class LedgerRefused(LedgerUnavailable):
    """It answers, and does not let us in; `why` is its own word for it, for the operator alone."""

    def __init__(self, detail: str, why: str) -> None:
        super().__init__(detail)
        self.why = why

    def anew(self) -> LedgerUnavailable:
        return LedgerUnavailable(self.detail, self.retry_after)


class StoreUnavailable(UnavailableError):
    code = "store_unavailable"


class StoreRefused(StoreUnavailable):
    """It answers, and refuses: `setting` is the one to look at first."""

    def __init__(self, detail: str, setting: str) -> None:
        super().__init__(detail)
        self.setting = setting

    def anew(self) -> StoreUnavailable:
        return StoreUnavailable(self.detail, self.retry_after)


class SafetyUnavailable(UnavailableError):
    """What must be looked at before it is made or shown cannot be: a checker is away or broken."""

    code = "safety_unavailable"


class NotReady(UnavailableError):
    code = "not_ready"


class StoreError(DarkroomError):
    code = "store_error"


class NotStored(StoreError):
    code, status = "not_stored", 404


class StaleAttempt(DarkroomError):
    code, status = "stale_attempt", 409
