"""Events as `MemoryLedger` tells them, and who waits for the next one."""

import asyncio

from darkroom.contract.job import EventName, JobEvent
from darkroom.ledger import cursor as cursors
from darkroom.ledger.protocol import JsonObject
from darkroom.ledger.record import Record


class News:
    """Event ids are ever greater, as those of a Redis stream."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Event] = set()
        self._events = 0

    @property
    def awaited(self) -> bool:
        """Whether somebody listens for more than there is."""
        return bool(self._waiters)

    def next_id(self, now: int) -> str:
        self._events += 1
        return f"{now}-{self._events}"

    def emit(self, record: Record, name: EventName, now: int, data: JsonObject) -> None:
        """Add to the job's history, and wake who waits for it."""
        record.tell(self.next_id(now), name, now, data)
        self.wake()

    def wake(self) -> None:
        for bell in self._waiters:
            bell.set()

    async def of(self, record: Record | None, after: str, wait: float) -> list[JobEvent]:
        """What came after the event `after`; with nothing there, waits up to `wait` seconds for it."""
        last = cursors.event_id(after)
        bell = asyncio.Event()
        self._waiters.add(bell)
        try:
            async with asyncio.timeout(max(wait, 0)):
                while not (news := _after(record, last)):
                    bell.clear()
                    await bell.wait()
                return news
        except TimeoutError:
            return _after(record, last)
        finally:
            self._waiters.discard(bell)


def _after(record: Record | None, last: tuple[int, int]) -> list[JobEvent]:
    return [event for event in record.events if cursors.event_id(event.id) > last] if record else []
