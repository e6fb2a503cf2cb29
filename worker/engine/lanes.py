"""All lanes of an engine, and whose turn it is."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import count

from darkroom.log import get_logger
from worker.engine.forward import Forward
from worker.engine.generation import Generation
from worker.engine.knee import Knee, NoKnee
from worker.engine.lane import Lane, LaneKey, Seat
from worker.engine.pulse import Expect, Pace, unwatched

log = get_logger(__name__)

# A deterministic request computes this many rows in every pass, alone or not; fewer where `max_rows` is less, and then
# its bits are those of that setting.
FIXED_ROWS = 8


class Lanes:
    """Lanes come with their first seat and go with their last; what was learned about their pace and knee stays."""

    def __init__(
        self,
        max_rows: int,
        free_memory: Callable[[], None],
        clock: Callable[[], float],
        expect: Expect = unwatched,
    ) -> None:
        self._max_rows = max_rows
        self._free_memory = free_memory
        self._clock = clock
        self._expect = expect
        self._lanes: dict[LaneKey, Lane] = {}
        self._paces: dict[LaneKey, Pace] = {}
        self._knees: dict[LaneKey, Knee] = {}
        self._arrivals = count()

    def arrive(self, generation: Generation) -> list[Seat]:
        """A seat for every image of `generation`, in no lane yet."""
        return [Seat(generation, sample, next(self._arrivals)) for sample in generation.samples]

    def join(self, seats: Iterable[Seat]) -> None:
        """Set each into the lane of its stage; it takes part from the next step on."""
        for seat in seats:
            self._lane(seat).seats.append(seat)

    def next(self) -> Lane | None:
        """The lane that has had the least device time: none starves, and a slow one does not slow the others down."""
        return min(self._lanes.values(), key=lambda lane: lane.served, default=None)

    @property
    def wanted_rows(self) -> int:
        """Rows that are worth having here: those of the lane that wants the most."""
        return max((lane.knee.wanted for lane in self._lanes.values()), default=self._max_rows)

    def drop(self, generation: Generation) -> None:
        """Take all seats of `generation` away."""
        for lane in self._lanes.values():
            lane.seats = [seat for seat in lane.seats if seat.generation is not generation]
        self._close_empty()

    def retire(self, seats: list[Seat]) -> None:
        """Take these seats away."""
        gone = set(seats)
        for lane in self._lanes.values():
            lane.seats = [seat for seat in lane.seats if seat not in gone]
        self._close_empty()

    def _lane(self, seat: Seat) -> Lane:
        key, stage = _key(seat), seat.sample.stage
        if key not in self._lanes:
            rows = min(FIXED_ROWS, self._max_rows) if key.fixed else None
            pace = self._paces.setdefault(key, Pace(stage.seconds_per_row))
            forward = Forward(
                stage.checkpoint.without_vae(),
                rows or self._max_rows,
                rows,
                self._free_memory,
                before=lambda of_pass, extra: self._expect(pace.expect(of_pass) + extra),
            )
            # A newcomer starts level with the others: neither a debt nor a credit from while it was away.
            served = min((lane.served for lane in self._lanes.values()), default=0.0)
            self._lanes[key] = Lane(forward, pace, self._knee(key, forward.most_rows), served, self._clock)
        return self._lanes[key]

    def _knee(self, key: LaneKey, rows: int) -> Knee:
        if key not in self._knees:
            settled = partial(log.info, "lane.settled", model=key.model, height=key.height, width=key.width)
            self._knees[key] = (
                NoKnee(rows, self._max_rows) if key.fixed else Knee(rows, lambda found: settled(rows=found))
            )
        return self._knees[key]

    def _close_empty(self) -> None:
        self._lanes = {key: lane for key, lane in self._lanes.items() if lane.seats}


def _key(seat: Seat) -> LaneKey:
    stage = seat.sample.stage
    _, height, width = stage.latent_shape
    return LaneKey(stage.model, height, width, stage.checkpoint.dtype, seat.generation.work.plan.deterministic)
