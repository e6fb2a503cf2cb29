"""Which job an idempotency key first led to, as `MemoryLedger` remembers it."""

from dataclasses import dataclass

from darkroom.ledger.protocol import Submission


@dataclass(frozen=True)
class FirstUse:
    job_id: str
    body_hash: str
    until_ms: int


class FirstUses:
    """One for each tenant and key, for `ttl_ms`."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl_ms = ttl_ms
        self._uses: dict[tuple[str, str], FirstUse] = {}

    def remember(self, submission: Submission, now_ms: int) -> None:
        if submission.idempotency_key is not None:
            use = FirstUse(submission.job_id, submission.body_hash, now_ms + self._ttl_ms)
            self._uses[submission.tenant, submission.idempotency_key] = use

    def find(self, tenant: str, key: str | None, now_ms: int) -> FirstUse | None:
        use = self._uses.get((tenant, key)) if key is not None else None
        return use if use and now_ms < use.until_ms else None
