"""What other threads tell the engine, and what they may ask it."""

from collections import deque
from threading import Condition

from worker.engine.request import ROWS_GUIDED, Work, WorkId


class Inbox:
    """Thread-safe. Knows every work from its admission to its end, and how many rows it still needs."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._changed = Condition()
        self._arrivals: deque[Work] = deque()
        self._cancels: set[WorkId] = set()
        self._works: dict[WorkId, Work] = {}
        self._rows: dict[WorkId, int] = {}

    def admit(self, work: Work) -> None:
        """Raises: ValueError for an attempt that is already here."""
        with self._changed:
            if work.id in self._works:
                raise ValueError(f"attempt {work.attempt} at job {work.job_id} is already admitted")
            self._works[work.id] = work
            self._rows[work.id] = work.rows
            self._arrivals.append(work)
            self._changed.notify_all()

    def cancel(self, job_id: str) -> None:
        """Only attempts that are here now: one admitted later is another matter."""
        with self._changed:
            self._cancels |= {work.id for work in self._works.values() if work.job_id == job_id}
            self._changed.notify_all()

    def take(self) -> tuple[list[Work], set[WorkId]]:
        """Arrivals in order, and works to cancel, since the last call."""
        with self._changed:
            taken = list(self._arrivals), self._cancels
            self._arrivals, self._cancels = deque(), set()
            return taken

    def wait(self, seconds: float) -> None:
        """Return early when something arrives."""
        with self._changed:
            self._changed.wait_for(lambda: self._arrivals or self._cancels, seconds)

    def needs(self, work: Work, rows: int) -> None:
        with self._changed:
            self._rows[work.id] = rows

    def ended(self, work: Work) -> None:
        with self._changed:
            del self._works[work.id], self._rows[work.id]

    def limit(self, most_rows: int) -> None:
        """Have room for as many rows from now on; what is here already stays."""
        with self._changed:
            self._most_rows = most_rows

    def room(self) -> int:
        """Jobs of one guided image that would still fit; a job of several images takes as much more when it comes."""
        with self._changed:
            return max(0, self._most_rows - sum(self._rows.values())) // ROWS_GUIDED

    def in_flight(self) -> tuple[Work, ...]:
        with self._changed:
            return tuple(self._works.values())
