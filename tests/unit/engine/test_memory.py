"""A device that came short of memory, and whether it has it again."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from darkroom.errors import NanOutput, OutOfMemory
from tests.unit.engine.networks import still_checkpoint, watch
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine
from worker.engine.memory import SETTLE_SECONDS, DeviceMemory, usable_memory
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.lora_cache import no_loras

TOTAL = 1000


@dataclass
class Device:
    """One of `TOTAL` bytes, of which others and what leaked hold `taken`; and a clock moved by hand."""

    cache: ModelCache = field(default_factory=lambda: cache_of(still_checkpoint()))
    taken: int = 500
    now: float = 0.0
    lost: int = 0

    def __post_init__(self) -> None:
        self.memory = DeviceMemory(self.cache, no_loras(), self.usable, self.lose, lambda: self.now)

    def usable(self) -> tuple[int, int]:
        return TOTAL - self.taken - self.cache.taken_bytes(), TOTAL

    def lose(self) -> None:
        self.lost += 1

    def settle(self) -> None:
        self.now += SETTLE_SECONDS
        self.memory.look()


def test_memory_that_does_not_come_back_is_told_once_it_had_time_to() -> None:
    device = Device()
    device.memory.failed(OutOfMemory("too large"))
    device.taken += 201
    device.memory.look()
    assert device.lost == 0
    device.settle()
    assert device.lost == 1
    device.settle()
    assert device.lost == 1


@pytest.mark.parametrize("held", [0, 200])
def test_memory_that_came_back_but_for_what_others_hold_is_no_loss(held: int) -> None:
    device = Device()
    device.memory.failed(OutOfMemory("too large"))
    device.taken += held
    device.settle()
    assert device.lost == 0


def test_memory_is_of_no_interest_while_no_picture_came_short() -> None:
    device = Device()
    device.taken = TOTAL
    device.memory.failed(NanOutput("black"))
    device.settle()
    assert device.lost == 0


def test_weights_in_use_are_not_missing() -> None:
    device = Device()
    with device.cache.lease("model"):
        assert device.cache.taken_bytes() > 0
        device.memory.failed(OutOfMemory("too large"))
        device.settle()
    assert device.lost == 0


def test_a_device_that_cannot_tell_is_believed() -> None:
    memory = DeviceMemory(cache_of(still_checkpoint()), no_loras(), lambda: usable_memory(torch.device("cpu")))
    memory.failed(OutOfMemory("too large"))
    memory.look()


def test_an_engine_whose_picture_had_too_little_looks_whether_it_came_back(epsilon: Checkpoint) -> None:
    def leak(latents_RCHW: Tensor, context_RTC: Tensor) -> None:
        device.taken = TOTAL
        raise torch.OutOfMemoryError("CUDA out of memory")

    device = Device(cache_of(watch(epsilon, leak)[0]))
    recorder = Recorder()
    engine = Engine(device.cache, recorder, memory=device.memory)
    engine.admit(make_work())
    finish(engine)
    assert isinstance(recorder.failures["job"], OutOfMemory)
    device.now += SETTLE_SECONDS
    finish(engine)
    engine.close()
    assert device.lost == 1
