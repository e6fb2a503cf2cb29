"""Works in line for the VAE because they begin with a picture, one at a time."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from darkroom.errors import GenerationError
from worker.engine.encode import Encoded, encode
from worker.engine.faults import as_failure, fatal
from worker.engine.pulse import Pace
from worker.engine.request import Work, WorkId
from worker.models.cache import Lease
from worker.models.checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class Begun:
    """A work whose canvas is encoded, or why it is not."""

    work: Work
    lease: Lease[Checkpoint]
    result: Encoded | GenerationError
    seconds: float


class Encoder:
    """First in, first out. One work between steps, so that those that denoise already are not held up."""

    def __init__(self, free_memory: Callable[[], None], clock: Callable[[], float]) -> None:
        self._free_memory = free_memory
        self._clock = clock
        self._line: deque[tuple[Work, Lease[Checkpoint]]] = deque()
        self._pace = Pace(first_guess=1.0)

    def add(self, work: Work, lease: Lease[Checkpoint]) -> None:
        self._line.append((work, lease))

    def drop(self, work_id: WorkId) -> Work | None:
        """Take a work out of the line and give its lease back; None when it is not in it."""
        for work, lease in self._line:
            if work.id == work_id:
                self._line.remove((work, lease))
                lease.release()
                return work
        return None

    def expect(self) -> float | None:
        """Seconds the next work should take; None when there is none."""
        return self._pace.expect(1) if self._line else None

    def step(self) -> Begun:
        """Encode for the first in line. Raises only what the device does not recover from."""
        work, lease = self._line.popleft()
        began = self._clock()
        result: Encoded | GenerationError
        try:
            result = encode(lease.checkpoint, work.canvas, self._free_memory)
            lease.checkpoint.synchronize()
        except Exception as error:
            if fatal(error):
                raise
            result = as_failure(error, "encoding")
        seconds = self._clock() - began
        self._pace.learn(1, seconds)
        return Begun(work, lease, result, seconds)
