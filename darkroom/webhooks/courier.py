"""Takes what is due from the ledger, sends it, and notes what became of it; many at a time, few to any one receiver.

What was sent and could not be noted is sent again when its lease is over, under the same id: at least once.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from darkroom import crash
from darkroom.contract.webhook import DeliveryState, LentDelivery, Verdict
from darkroom.errors import NotFound, UnavailableError
from darkroom.ledger.deliveries import Room
from darkroom.ledger.protocol import Ledger
from darkroom.log import about_job, get_logger
from darkroom.metrics import Metrics
from darkroom.tracing import Said, SpanKind, resumed, span
from darkroom.webhooks.message import message
from darkroom.webhooks.schedule import after_attempt
from darkroom.webhooks.sending import Sender, Sent

MARGIN_SECONDS: Final = 10.0  # of a lease, beyond what an attempt may take: for the ledger's own answers
LAST_SECONDS: Final = 3.0  # that attempts under way are given when the courier stops

_log = get_logger(__name__)


@dataclass(frozen=True)
class Pace:
    """How many at once, in all and of one kind, and how often to look for more, in seconds."""

    at_once: int = 64
    per_lane: int = 4
    per_tenant: int = 32
    every: float = 0.5


@dataclass
class Courier:
    """`schedule`: seconds before each attempt. `kept_for`: seconds that a record lives on after its end."""

    ledger: Ledger
    sender: Sender
    metrics: Metrics
    schedule: Sequence[float]
    kept_for: int
    pace: Pace = Pace()
    _under_way: dict[asyncio.Task[None], LentDelivery] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set. A ledger that is away for a while ends nothing."""
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self._look()
                await asyncio.wait(
                    {stopped, *self._under_way}, timeout=self.pace.every, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            stopped.cancel()
            await self._end()

    async def _look(self) -> None:
        try:
            await self.take_due()
        except UnavailableError:
            pass  # the courier's rounds say so
        except Exception as error:  # noqa: BLE001 - what is under way is not given up for what cannot be taken
            _log.error("deliveries.untaken", error=type(error).__name__)

    async def take_due(self) -> int:
        """Set out with as much of what is due as there is room for; says how many. Raises: LedgerUnavailable."""
        room = Room(
            free=self.pace.at_once - len(self._under_way),
            per_lane=self.pace.per_lane,
            per_tenant=self.pace.per_tenant,
        )
        if not room.free:
            return 0
        busy = Counter(lent.lane for lent in self._under_way.values())
        taken = await self.ledger.deliveries.take(room, self.sender.seconds + MARGIN_SECONDS, busy)
        for lent in taken:
            task = asyncio.create_task(self._deliver(lent))
            self._under_way[task] = lent
            task.add_done_callback(self._landed)
        return len(taken)

    async def _deliver(self, lent: LentDelivery) -> None:
        """Raises: LedgerUnavailable."""
        said: Said = {
            "darkroom.job": lent.job_id,
            "darkroom.event": lent.event,
            "darkroom.attempt": lent.number,
        }
        with about_job(lent.job_id), resumed(lent.trace), span("webhook", said, SpanKind.PRODUCER) as traced:
            sent = await self._attempt(lent)
            if sent is None:
                return
            traced.set_attribute("darkroom.outcome", sent.outcome)
            crash.here("webhook_sent_unmarked")
            verdict = after_attempt(lent, sent.attempt.status, sent.retry_after, self.schedule)
            if await self.ledger.deliveries.note(lent.id, sent.attempt, verdict):
                self._tell(lent, sent, verdict)

    async def _attempt(self, lent: LentDelivery) -> Sent | None:
        """What became of an attempt; None where there is nothing to say any more. What goes wrong with a message here
        is an attempt as well: if nobody counted it, it would go wrong at every lease, for ever.

        Raises: LedgerUnavailable.
        """
        try:
            body = lent.body or await self._first_body(lent)
            return await self.sender.send(lent, body) if body is not None else None
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - a record of another version, or a fault of ours: told by its kind
            _log.error("delivery.broken", delivery=lent.id, error=type(error).__name__)
            return self.sender.broken(lent)

    async def _first_body(self, lent: LentDelivery) -> str | None:
        """What every attempt says, settled before the first is made; None where there is nothing to say any more."""
        try:
            job = await self.ledger.get(lent.tenant, lent.job_id)
        except NotFound:
            if await self.ledger.deliveries.drop(lent.id):
                _log.warning("delivery.dropped", delivery=lent.id)
            return None
        return await self.ledger.deliveries.seal(lent.id, message(lent, job, kept_for=self.kept_for))

    def _tell(self, lent: LentDelivery, sent: Sent, verdict: Verdict) -> None:
        _log.info(
            "delivery.attempted",
            delivery=lent.id,
            tenant=lent.tenant,
            host=lent.lane.partition(" ")[0],
            number=lent.number,
            outcome=sent.outcome,
            state=verdict.state.value,
        )
        self.metrics.webhook_attempts.labels(sent.outcome).inc()
        if verdict.state is DeliveryState.DELIVERED:
            ended = sent.attempt.at + sent.attempt.milliseconds / 1000
            self.metrics.webhook_lag_seconds.observe(max(0.0, ended - lent.created_at))
        if verdict.state is DeliveryState.DEAD:
            self.metrics.webhooks_dead.labels(verdict.reason or "").inc()

    def _landed(self, task: asyncio.Task[None]) -> None:
        """What went wrong on our side ends one attempt; its lease brings the delivery back."""
        lent = self._under_way.pop(task)
        if not task.cancelled() and (error := task.exception()):
            _log.warning("delivery.unnoted", delivery=lent.id, job_id=lent.job_id, error=type(error).__name__)

    async def _end(self) -> None:
        """Attempts under way may end by themselves for a moment; the rest is made again elsewhere."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(set(self._under_way), timeout=LAST_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
