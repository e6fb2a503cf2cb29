"""How many rows a pass should have: as many as make it cheaper by the row, and no more."""

from collections.abc import Callable

from worker.engine.request import ROWS_GUIDED

# Twice the rows must give this much more throughput, or they only make everybody's steps longer. A choice, not an
# optimum: it keeps the embedded model near 16 rows, where 8 -> 16 gained 9 % on a CPU, and has not been tried on a GPU.
LEAST_GAIN = 0.05
# Full passes of a size that are timed before it is judged; the quickest counts, which leaves out a first one that
# compiles or tunes, and whatever else the machine did meanwhile.
SAMPLES = 8
# Full steps after which a lane looks again: what a device can do changes with its heat and its neighbours, and memory
# that was short may have become free.
LOOK_AGAIN = 2000


def _unheard(_rows: int) -> None:
    pass


class Knee:
    """Finds it with real steps, at no cost to the first request: full passes are timed, then ones of half the rows, and
    so on down as long as the larger ones were not worth it. Nothing is tried while passes are not full.

    `fits` is how many rows of a pass find room in memory, as far as is known.
    """

    def __init__(self, most_rows: int, on_settled: Callable[[int], None] = _unheard) -> None:
        """`most_rows` is where it begins, and the most it will ever allow. `on_settled` is told what it came to."""
        self.rows = self.fits = most_rows
        self.settled = False
        self._most_rows = most_rows
        self._on_settled = on_settled
        self._row_seconds: list[float] = []
        self._larger: tuple[int, float] | None = None
        self._full_steps = 0

    @property
    def wanted(self) -> int:
        """Rows that are worth having in the lane: with as many again as run, there is a choice of who goes first."""
        return min(self._most_rows, 2 * self.rows) if self._found else self._most_rows

    def fit(self, rows: int) -> None:
        """No pass of more than `rows` found room: none has more until the lane looks again."""
        if rows < self.fits:
            self.fits = rows
            self.rows = min(self.rows, max(rows, ROWS_GUIDED))
            self._row_seconds, self._larger = [], None

    def learn(self, rows: int, seconds: float, *, plain: bool = True) -> None:
        """A step of a lane had `rows` and took `seconds`; only `plain` ones, one pass of the model alone, compare."""
        if rows <= self.rows - ROWS_GUIDED:
            return
        self._full_steps += self._found
        if self._full_steps == LOOK_AGAIN:
            self._look_again()
        elif plain and not self.settled:
            self._sample(rows, seconds)

    @property
    def _found(self) -> bool:
        """Whether anything is known that may change."""
        return self.settled or self.fits < self._most_rows

    def _sample(self, rows: int, seconds: float) -> None:
        self._row_seconds.append(seconds / rows)
        if len(self._row_seconds) == SAMPLES:
            self._judge(min(self._row_seconds))
            self._row_seconds = []

    def _judge(self, row_seconds: float) -> None:
        if self._larger is not None and row_seconds > self._larger[1] * (1 + LEAST_GAIN):
            self._settle(self._larger[0])
        elif self.rows < 2 * ROWS_GUIDED:
            self._settle(self.rows)
        else:
            self._larger = self.rows, row_seconds
            self.rows //= 2

    def _settle(self, rows: int) -> None:
        self.rows, self.settled = rows, True
        self._on_settled(rows)

    def _look_again(self) -> None:
        self.rows = self.fits = self._most_rows
        self.settled, self._row_seconds, self._larger, self._full_steps = False, [], None, 0


class NoKnee(Knee):
    """For lanes of fixed row count, which compute as many rows whatever they are given."""

    def __init__(self, rows: int, room: int) -> None:
        """`room` is the most that may ever be wanted."""
        super().__init__(rows)
        self._room = room

    @property
    def wanted(self) -> int:
        return min(self._room, 2 * self.rows)

    def learn(self, rows: int, seconds: float, *, plain: bool = True) -> None:
        pass
