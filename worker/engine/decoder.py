"""Denoised latents in line for the VAE, one image at a time."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from darkroom.errors import GenerationError
from worker.engine.decode import decode, decode_exactly
from worker.engine.faults import as_failure, fatal
from worker.engine.generation import Generation
from worker.engine.lane import Seat
from worker.engine.pulse import Expect, Pace, unwatched
from worker.engine.sample import Sample
from worker.engine.vae import SECONDS_PER_PIXEL, Circumstances


@dataclass(frozen=True, eq=False)
class Decoded:
    """An image, or why there is none; of one that goes on to another stage, what that will have encoded, 1 3 H W."""

    seat: Seat
    result: NDArray[np.uint8] | Tensor | GenerationError
    seconds: float


class Decoder:
    """First in, first out. One image between steps, so that a batch of them does not hold up those still denoising."""

    def __init__(self, free_memory: Callable[[], None], clock: Callable[[], float], expect: Expect = unwatched) -> None:
        self._free_memory = free_memory
        self._clock = clock
        self._line: deque[Seat] = deque()
        self._expect = expect
        # By model, and in each by pixels.
        self._paces: defaultdict[str, Pace] = defaultdict(lambda: Pace(SECONDS_PER_PIXEL))

    def add(self, seats: Iterable[Seat]) -> None:
        self._line.extend(seats)

    def drop(self, generation: Generation) -> None:
        self._line = deque(seat for seat in self._line if seat.generation is not generation)

    def step(self) -> Decoded | None:
        """Decode the first in line; None when there is none. Raises only what the device does not recover from."""
        if not self._line:
            return None
        seat = self._line.popleft()
        pace, pixels = self._paces[seat.sample.stage.model], seat.sample.stage.width * seat.sample.stage.height
        began = self._clock()
        try:
            picture = self._decoded(seat.sample, partial(self._expect, pace.expect(pixels)))
            seat.sample.stage.checkpoint.synchronize()
        except Exception as error:
            if fatal(error):
                raise
            return Decoded(seat, as_failure(error, "decoding"), self._clock() - began)
        seconds = self._clock() - began
        pace.learn(pixels, seconds)
        return Decoded(seat, picture, seconds)

    def _decoded(self, sample: Sample, before: Callable[[], None]) -> NDArray[np.uint8] | Tensor:
        """Ready for the next stage where one follows."""
        checkpoint, stage = sample.stage.checkpoint, sample.next_stage
        circumstances = Circumstances(self._free_memory, before)
        if stage is None:
            return decode(checkpoint, sample.latents_1CHW, circumstances)
        return stage.after_picture(decode_exactly(checkpoint, sample.latents_1CHW, circumstances))
