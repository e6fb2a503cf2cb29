"""Images that can share forward passes: same checkpoint, same latent size, same dtype."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from darkroom.errors import GenerationError
from worker.engine.faults import as_failure, fatal
from worker.engine.forward import Forward, Prediction
from worker.engine.generation import Generation
from worker.engine.policy import choose
from worker.engine.pulse import Pace
from worker.engine.sample import Row, Sample


@dataclass(frozen=True)
class LaneKey:
    """`height` and `width` are in latents. A `fixed` lane computes a constant number of rows."""

    model: str
    height: int
    width: int
    dtype: torch.dtype
    fixed: bool


@dataclass(eq=False)
class Seat:
    """An image in a lane."""

    generation: Generation
    sample: Sample
    arrival: int
    passed_over: int = 0

    @property
    def rows(self) -> int:
        return self.sample.rows_needed

    @property
    def remaining(self) -> int:
        return self.sample.remaining

    @property
    def deadline(self) -> float | None:
        return self.generation.work.plan.deadline_at


@dataclass
class Tick:
    """One step of a lane: who took it, what each must pay for, and who failed."""

    seats: list[Seat]
    seconds: float = 0.0
    failures: dict[Seat, GenerationError] = field(default_factory=dict)

    def share(self, seat: Seat) -> float:
        """Device seconds of this step that are `seat`'s, by its rows."""
        return self.seconds * seat.rows / sum(other.rows for other in self.seats)


class Lane:
    """Seats come and go between steps. `served` is the device time spent here, for fairness between lanes."""

    def __init__(self, forward: Forward, pace: Pace, served: float, clock: Callable[[], float] = time.perf_counter):
        self.seats: list[Seat] = []
        self.served = served
        self._forward = forward
        self._pace = pace
        self._most_rows = forward.most_rows
        self._clock = clock

    def expect(self) -> float:
        """Seconds the next step should take."""
        return self._pace.expect(min(self._most_rows, sum(seat.rows for seat in self.seats)))

    def step(self) -> Tick:
        """Advance the most urgent seats by one step. Raises only what the device does not recover from."""
        tick = Tick(choose(self.seats, self._most_rows))
        began = self._clock()
        gathered = {seat: rows for seat in tick.seats if (rows := self._gather(seat, tick)) is not None}
        predictions = iter(self._forward([row for rows in gathered.values() for row in rows]))
        for seat, rows in gathered.items():
            self._scatter(seat, [next(predictions) for _ in rows], tick)
        self._forward.checkpoint.synchronize()
        tick.seconds = self._clock() - began
        self.served += tick.seconds
        self._pace.learn(sum(seat.rows for seat in tick.seats), tick.seconds)
        return tick

    def _gather(self, seat: Seat, tick: Tick) -> list[Row] | None:
        try:
            return seat.sample.rows()
        except Exception as error:  # noqa: BLE001  an image's own part may fail for that image alone
            _blame(seat, tick, error)
            return None

    def _scatter(self, seat: Seat, predictions: list[Prediction], tick: Tick) -> None:
        try:
            seat.sample.advance([_or_raise(prediction) for prediction in predictions])
        except Exception as error:  # noqa: BLE001  an image's own part may fail for that image alone
            _blame(seat, tick, error)


def _blame(seat: Seat, tick: Tick, error: Exception) -> None:
    if fatal(error):
        raise error
    tick.failures[seat] = as_failure(error, "a denoising step")


def _or_raise(prediction: Prediction) -> torch.Tensor:
    if isinstance(prediction, GenerationError):
        raise prediction
    return prediction
