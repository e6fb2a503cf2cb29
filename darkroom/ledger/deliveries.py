"""What a ledger promises about webhooks. `RedisDeliveries` and `MemoryDeliveries` keep it; one suite for both.

Deliveries are made by the moves of jobs, in the same step: here they are lent to couriers, noted and looked at. Every
method may raise `LedgerUnavailable`. Times are Unix seconds by the ledger's own clock.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from darkroom.contract.base import Settled
from darkroom.contract.webhook import Attempt, Delivery, DeliveryState, LentDelivery, Verdict


class Room(Settled):
    """How much a courier may take on: `free` deliveries, and of those under way here at most so many of one kind."""

    free: int
    per_lane: int
    per_tenant: int


class Wanted(Settled):
    """Which deliveries of a tenant to list: made in [after, before), of a job, in one of these states; all if unset."""

    states: tuple[DeliveryState, ...] = ()
    job_id: str | None = None
    after: float | None = None
    before: float | None = None


class DeliveryPage(Settled):
    """Newest first. `cursor` continues; it may stand behind a page that is short, or empty."""

    deliveries: tuple[Delivery, ...]
    cursor: str | None


class Backlog(Settled):
    """How many deliveries are pending, and for how many seconds the longest overdue of them has been due."""

    pending: int
    overdue: float


class Deliveries(Protocol):
    async def take(self, room: Room, lease: float, busy: Mapping[str, int]) -> list[LentDelivery]:
        """Lend what is due for `lease` seconds, the longest due lane first. `busy` says what is under way here already,
        by lane. A delivery to a disabled endpoint ends here."""
        ...

    async def seal(self, delivery_id: str, body: str) -> str | None:
        """Fix what a message says; the first wins, and is answered. It holds the record's prompt, and is
        forgotten with it. None for a delivery that is gone, or whose record is."""
        ...

    async def note(self, delivery_id: str, attempt: Attempt, verdict: Verdict) -> bool:
        """Write an attempt and what follows from it together. False, and nothing, where another courier noted as much
        or the delivery has ended; that a receiver has it is noted while it is pending, however late."""
        ...

    async def drop(self, delivery_id: str) -> bool:
        """End a delivery that can say nothing any more: its record is gone."""
        ...

    async def list(self, tenant: str, wanted: Wanted, *, limit: int, cursor: str | None = None) -> DeliveryPage:
        """Raises: InvalidField for a cursor that is not ours."""
        ...

    async def get(self, tenant: str, delivery_id: str) -> tuple[Delivery, tuple[Attempt, ...]]:
        """With its latest attempts, oldest first. Raises: NotFound, also for another tenant's delivery."""
        ...

    async def replay(self, tenant: str, delivery_ids: Sequence[str]) -> int:
        """Make these due now, with a schedule of their own; says how many there were of this tenant."""
        ...

    async def disabled(self, tenant: str) -> Mapping[str, float]:
        """URLs that answered 410, and when."""
        ...

    async def enable(self, tenant: str, url: str) -> bool:
        """Let deliveries to this URL be made again; False where they were not stopped."""
        ...

    async def backlog(self) -> Backlog:
        """What waits for couriers."""
        ...
