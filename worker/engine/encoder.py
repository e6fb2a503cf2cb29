"""Images in line for the VAE because their next stage begins with a picture."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from darkroom.errors import GenerationError
from worker.engine.encode import Encoded, encode
from worker.engine.faults import as_failure, fatal
from worker.engine.generation import Generation
from worker.engine.lane import Seat
from worker.engine.pulse import Expect, Pace, unwatched
from worker.engine.stage import Stage
from worker.engine.vae import SECONDS_PER_PIXEL, Circumstances
from worker.pictures.canvas import Canvas


@dataclass(frozen=True, eq=False)
class Begun:
    """A canvas that is encoded for these images of one generation, or why it is not."""

    seats: Sequence[Seat]
    result: Encoded | GenerationError
    seconds: float


class Encoder:
    """First in, first out. One canvas between steps, so that those that denoise already are not held up."""

    def __init__(self, free_memory: Callable[[], None], clock: Callable[[], float], expect: Expect = unwatched) -> None:
        self._free_memory = free_memory
        self._clock = clock
        self._line: deque[tuple[Sequence[Seat], Stage, Canvas | Tensor]] = deque()
        self._expect = expect
        # By model, and in each by pixels.
        self._paces: defaultdict[str, Pace] = defaultdict(lambda: Pace(SECONDS_PER_PIXEL))

    def add(self, seats: Sequence[Seat], stage: Stage, canvas: Canvas | Tensor) -> None:
        """`seats` are of one generation, and `stage` is the next of them all."""
        self._line.append((seats, stage, canvas))

    def drop(self, generation: Generation) -> None:
        self._line = deque(entry for entry in self._line if entry[0][0].generation is not generation)

    def step(self) -> Begun | None:
        """Encode the first in line; None when there is none. Raises only what the device does not recover from."""
        if not self._line:
            return None
        seats, stage, canvas = self._line.popleft()
        checkpoint, pace, pixels = stage.checkpoint, self._paces[stage.model], stage.width * stage.height
        del stage  # a failure that somebody keeps would keep its LoRAs, by the traceback
        circumstances = Circumstances(self._free_memory, partial(self._expect, pace.expect(pixels)))
        began = self._clock()
        try:
            encoded = encode(checkpoint, canvas, circumstances)
            checkpoint.synchronize()
        except Exception as error:
            if fatal(error):
                raise
            return Begun(seats, as_failure(error, "encoding"), self._clock() - began)
        seconds = self._clock() - began
        pace.learn(pixels, seconds)
        return Begun(seats, encoded, seconds)
