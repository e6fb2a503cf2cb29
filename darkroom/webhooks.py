"""What happens to final states that somebody may want to hear of.

The ledger writes an outbox row together with each final state. Nobody can subscribe yet, so a row is logged and
forgotten; a row whose forgetting fails is met again at the next sweep.
"""

from collections.abc import Mapping
from typing import Protocol

from pydantic import JsonValue

from darkroom.log import about_job, get_logger

_log = get_logger(__name__)


class Outbox(Protocol):
    """The part of a ledger that a sweep needs."""

    async def outbox(self, *, after: str = "0", limit: int = 100) -> list[tuple[str, Mapping[str, JsonValue]]]: ...

    async def outbox_done(self, row: str) -> None: ...


async def sweep_outbox(ledger: Outbox) -> int:
    """Log and forget the rows there are now; says how many. Raises: LedgerUnavailable."""
    rows = await ledger.outbox()
    for row, fields in rows:
        with about_job(str(fields.get("job_id"))):
            _log.info("job.announced", state=fields.get("state"), tenant=fields.get("tenant"))
        await ledger.outbox_done(row)
    return len(rows)
