"""The engine itself, fed from a line as a worker feeds it: whoever came first, as long as there is room."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.clock import Clock
from benchmarks.serving.workload import random_lora
from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.errors import DarkroomError
from worker.engine import Engine, Work
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.lora_cache import LoraCache


@dataclass(frozen=True)
class Served:
    """`latencies` by request, `busy` in CPU seconds."""

    latencies: list[float]
    busy: float


class Ends:
    """A listener that knows who has ended, and stops the benchmark when anything fails."""

    def __init__(self) -> None:
        self.ended: list[int] = []

    def on_notice(self, work: Work, notice: Notice) -> None:
        pass

    def on_step(self, work: Work, step: int, steps: int) -> None:
        pass

    def on_image(self, work: Work, index: int, rgb_HWC: NDArray[np.uint8]) -> None:
        pass

    def on_finished(self, work: Work, device_seconds: float) -> None:
        self.ended.append(int(work.job_id))

    def on_failed(self, work: Work, error: DarkroomError, device_seconds: float) -> None:
        raise error

    def on_canceled(self, work: Work, device_seconds: float) -> None:
        raise AssertionError("nobody cancels here")


def in_the_engine(
    checkpoint: Checkpoint, plans: Sequence[GenerationPlan], arrivals: Sequence[float], max_rows: int
) -> Served:
    """Everything of an engine's day but loading the model, which is there when the first request comes."""
    ends, clock, latencies = Ends(), Clock(), [0.0] * len(plans)
    engine = _engine(checkpoint, ends, max_rows)
    upcoming, waiting = deque(range(len(plans))), deque[int]()
    while upcoming or waiting or engine.in_flight():
        if not waiting and not engine.in_flight():
            clock.jump(arrivals[upcoming[0]])
        while upcoming and arrivals[upcoming[0]] <= clock.now:
            waiting.append(upcoming.popleft())
        while waiting and engine.room():
            index = waiting.popleft()
            engine.admit(Work(str(index), 1, plans[index]))
        with clock.working():
            engine.step()
        for index in ends.ended:
            latencies[index] = clock.now - arrivals[index]
        ends.ended.clear()
    engine.close()
    return Served(latencies, clock.busy)


def _engine(checkpoint: Checkpoint, ends: Ends, max_rows: int) -> Engine:
    models = ModelCache(lambda _: checkpoint, lambda _: 1, 1)
    models.lease(checkpoint.spec.name).release()
    loras = LoraCache(lambda wanted: random_lora(checkpoint, wanted.sha256), checkpoint.bytes)
    return Engine(models, ends, max_rows, clock=time.thread_time, loras=loras)
