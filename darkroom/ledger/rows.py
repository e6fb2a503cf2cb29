"""Rows that are read in order and forgotten one by one, as `MemoryLedger` holds them; Redis has streams for it."""

from typing import Generic, TypeVar

from darkroom.ledger import cursor as cursors

What = TypeVar("What")


class Rows(Generic[What]):
    """Row ids are event ids, ever greater."""

    def __init__(self) -> None:
        self._rows: dict[str, What] = {}
        self._lent: dict[str, int] = {}

    def put(self, row: str, what: What) -> None:
        self._rows[row] = what

    def after(self, row: str, limit: int) -> list[tuple[str, What]]:
        """The first `limit` rows after this one. Raises: InvalidField for an id that is not ours."""
        last = cursors.event_id(row)
        return [(found, what) for found, what in self._rows.items() if cursors.event_id(found) > last][:limit]

    def lend(self, row: str, limit: int, now: int, until: int) -> list[tuple[str, What]]:
        """The same, of those that nobody has; nobody else gets them before `until`."""
        free = [(found, what) for found, what in self.after(row, len(self._rows)) if self._lent.get(found, 0) <= now]
        self._lent |= {found: until for found, _ in free[:limit]}
        return free[:limit]

    def done(self, row: str) -> None:
        """Forget a row; nothing for one that is gone."""
        self._rows.pop(row, None)
        self._lent.pop(row, None)
