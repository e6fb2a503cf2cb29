"""When a work is sketched: seldom enough that no step is felt to be longer."""

import math
import time
from collections.abc import Callable, Iterable

from darkroom.log import get_logger
from worker.engine.faults import fatal
from worker.engine.generation import Generation
from worker.engine.lane import Seat
from worker.engine.request import Listener
from worker.engine.sample import Sample

log = get_logger(__name__)


class Sketching:
    """One image of a work at a time, that with the fewest sketches, and `interval` seconds at least between two.

    The first is made after the first step.
    """

    def __init__(self, listener: Listener, interval: float = 0.5, clock: Callable[[], float] = time.monotonic) -> None:
        self.interval = interval
        self._listener = listener
        self._clock = clock

    def look(self, seats: Iterable[Seat]) -> None:
        """Sketch those works that have just made a step and whose time has come. Raises only what the device does not
        recover from: a sketch that fails is the last of its work, which goes on."""
        now = self._clock()
        due: dict[Generation, list[Sample]] = {}
        for seat in seats:
            if now >= seat.generation.next_sketch_at:
                due.setdefault(seat.generation, []).append(seat.sample)
        for generation, samples in due.items():
            generation.next_sketch_at = now + self.interval
            self._sketch(generation, min(samples, key=lambda sample: (sample.sketches, sample.index)))

    def _sketch(self, generation: Generation, sample: Sample) -> None:
        try:
            rgb_HWC = sample.sketch()
        except Exception as error:
            if fatal(error):
                raise
            log.warning("sketch.failed", job_id=generation.work.job_id, error=type(error).__name__)
            generation.next_sketch_at = math.inf
            return
        if rgb_HWC is not None:
            self._listener.on_preview(generation.work, sample.index, rgb_HWC)
