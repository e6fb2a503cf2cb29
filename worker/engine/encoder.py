"""Images in line for the VAE because their next stage begins with a picture."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from darkroom.errors import GenerationError
from worker.engine.encode import Encoded, encode
from worker.engine.faults import as_failure, fatal
from worker.engine.generation import Generation
from worker.engine.lane import Seat
from worker.engine.pulse import Pace
from worker.models.checkpoint import Checkpoint
from worker.pictures.canvas import Canvas


@dataclass(frozen=True, eq=False)
class Begun:
    """A canvas that is encoded for these images of one generation, or why it is not."""

    seats: Sequence[Seat]
    result: Encoded | GenerationError
    seconds: float


class Encoder:
    """First in, first out. One canvas between steps, so that those that denoise already are not held up."""

    def __init__(self, free_memory: Callable[[], None], clock: Callable[[], float]) -> None:
        self._free_memory = free_memory
        self._clock = clock
        self._line: deque[tuple[Sequence[Seat], Checkpoint, Canvas | Tensor]] = deque()
        self._pace = Pace(first_guess=1.0)

    def add(self, seats: Sequence[Seat], checkpoint: Checkpoint, canvas: Canvas | Tensor) -> None:
        """`seats` are of one generation, and the `checkpoint` is that of their next stage."""
        self._line.append((seats, checkpoint, canvas))

    def drop(self, generation: Generation) -> None:
        self._line = deque(entry for entry in self._line if entry[0][0].generation is not generation)

    def expect(self) -> float | None:
        """Seconds the next canvas should take; None when there is none."""
        return self._pace.expect(1) if self._line else None

    def step(self) -> Begun:
        """Encode the first in line. Raises only what the device does not recover from."""
        seats, checkpoint, canvas = self._line.popleft()
        began = self._clock()
        result: Encoded | GenerationError
        try:
            result = encode(checkpoint, canvas, self._free_memory)
            checkpoint.synchronize()
        except Exception as error:
            if fatal(error):
                raise
            result = as_failure(error, "encoding")
        seconds = self._clock() - began
        self._pace.learn(1, seconds)
        return Begun(seats, result, seconds)
