"""Images that can share forward passes: same checkpoint, same latent size, same dtype."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from darkroom import crash
from darkroom.errors import GenerationError
from worker.engine.course import Weighted
from worker.engine.faults import as_failure, fatal
from worker.engine.forward import Forward, Prediction
from worker.engine.generation import Generation
from worker.engine.knee import Knee
from worker.engine.policy import choose
from worker.engine.pulse import Pace
from worker.engine.request import ROWS_GUIDED
from worker.engine.sample import Row, Sample
from worker.engine.stepping import add_up, guide


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

    def __init__(
        self, forward: Forward, pace: Pace, knee: Knee, served: float, clock: Callable[[], float] = time.perf_counter
    ):
        self.seats: list[Seat] = []
        self.served = served
        self.knee = knee
        self._forward = forward
        self._pace = pace
        self._clock = clock

    def step(self) -> Tick:
        """Advance the most urgent seats by one step. Raises only what the device does not recover from."""
        tick = Tick(choose(self.seats, self.knee.rows))
        began = self._clock()
        gathered = {seat: rows for seat in tick.seats if (rows := self._gather(seat, tick)) is not None}
        rows = [row for of_seat in gathered.values() for row in of_seat]
        self._forward.most_rows = self.knee.fits
        predictions = iter(self._forward(rows))
        answered = {seat: [next(predictions) for _ in of_seat] for seat, of_seat in gathered.items()}
        crash.here("mid_step")
        self._advance(answered, tick)
        self._forward.checkpoint.synchronize()
        tick.seconds = self._clock() - began
        self.served += tick.seconds
        self._learn(tick, alone=not any(row.controls or row.loras for row in rows))
        return tick

    def _learn(self, tick: Tick, *, alone: bool) -> None:
        """`alone`: the model had neither ControlNets nor LoRAs with it."""
        passes = self._forward.passes
        if passes.usual:
            for of_pass in passes.rows:
                self._pace.learn(of_pass, tick.seconds * of_pass / sum(passes.rows))
        plain = alone and passes.usual and len(passes.rows) == 1 and not tick.failures
        self.knee.learn(sum(seat.rows for seat in tick.seats), tick.seconds, plain=plain)
        self.knee.fit(self._forward.most_rows)

    def _gather(self, seat: Seat, tick: Tick) -> list[Row] | None:
        with _blaming(seat, tick):
            return seat.sample.rows()
        return None

    def _advance(self, answered: Mapping[Seat, list[Prediction]], tick: Tick) -> None:
        try:
            _step_together(answered, tick)
        except Exception as error:
            if fatal(error):
                raise
            # What failed was shared by all of them, but for those that had failed before.
            tick.failures = {seat: as_failure(error, "a denoising step") for seat in answered} | tick.failures


def _step_together(answered: Mapping[Seat, list[Prediction]], tick: Tick) -> None:
    """Guidance and the sums for all seats at once; what is a seat's own, for each by itself."""
    sums: dict[Seat, list[Weighted]] = {}
    for seat, prediction_1CHW in _guided(answered, tick).items():
        with _blaming(seat, tick):
            sums[seat] = seat.sample.move(prediction_1CHW)
    for seat, latents_1CHW in zip(sums, add_up(list(sums.values())), strict=True):
        with _blaming(seat, tick):
            seat.sample.settle(latents_1CHW)


def _guided(answered: Mapping[Seat, list[Prediction]], tick: Tick) -> dict[Seat, Tensor]:
    """One prediction a seat, without those whose pass failed."""
    complete: dict[Seat, list[Tensor]] = {}
    for seat, predictions in answered.items():
        with _blaming(seat, tick):
            complete[seat] = [_or_raise(prediction) for prediction in predictions]
    pairs = {seat: predictions for seat, predictions in complete.items() if len(predictions) == ROWS_GUIDED}
    scales = [seat.sample.guidance_scale for seat in pairs]
    guided = guide(scales, [pair[0] for pair in pairs.values()], [pair[1] for pair in pairs.values()])
    return {seat: predictions[-1] for seat, predictions in complete.items()} | dict(zip(pairs, guided, strict=True))


@contextmanager
def _blaming(seat: Seat, tick: Tick) -> Iterator[None]:
    """An image's own part may fail for that image alone."""
    try:
        yield
    except Exception as error:
        if fatal(error):
            raise
        tick.failures[seat] = as_failure(error, "a denoising step")


def _or_raise(prediction: Prediction) -> Tensor:
    if isinstance(prediction, GenerationError):
        raise prediction
    return prediction
