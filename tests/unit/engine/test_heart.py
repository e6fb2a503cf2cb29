"""What the heart announces of an operation is what it takes, on a clock that the tests turn."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.unit.engine.networks import Grey, Lettered, Still, Watched, still_checkpoint
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine
from worker.engine.forward import COMPILE_SECONDS
from worker.models.checkpoint import Checkpoint
from worker.models.kernels import Kernels


class Measured:
    """An engine that takes a second a row and a millisecond a decoded pixel, and what its heart showed meanwhile."""

    def __init__(self, **fields: object) -> None:
        self.now = 0.0
        self.expected: list[float] = []
        self.recorder = Recorder()
        self.vae = Slow(self)
        unet = Watched(Still(), self._pass)
        checkpoint = replace(still_checkpoint(unet=unet, vae=self.vae), text=Lettered(), **fields)
        self.engine = Engine(cache_of(checkpoint), self.recorder, clock=lambda: self.now)

    def take(self, seconds: float) -> None:
        self.now += seconds
        self.expected.append(self.engine.heartbeat.expected)

    def serve(self, *jobs: str, **fields: object) -> list[float]:
        """What was announced while these ran together."""
        self.expected.clear()
        for job in jobs:
            self.engine.admit(make_work(f"{job}{self.now}", prompt=job, **{"steps": 1, **fields}))
        finish(self.engine)
        return list(self.expected)

    def _pass(self, latents_RCHW: Tensor, context_RTC: Tensor) -> None:
        self.take(len(latents_RCHW))
        if (context_RTC == 7).any():
            raise ValueError("boom")


class Slow(Grey):
    def __init__(self, measured: Measured) -> None:
        super().__init__(lambda dtype: torch.nan if dtype is torch.float16 else 0.0)
        self._measured = measured

    def decode(self, latents: Tensor, **options: object) -> tuple[Tensor]:
        self._measured.take(latents.shape[2] * latents.shape[3] * 64e-3)
        return super().decode(latents, **options)


@pytest.fixture
def measured() -> Iterator[Callable[..., Measured]]:
    made: list[Measured] = []

    def make(**fields: object) -> Measured:
        made.append(Measured(**fields))
        return made[-1]

    yield make
    for each in made:
        each.engine.close()


def test_a_large_picture_is_announced_by_its_size_after_small_ones(measured: Callable[..., Measured]) -> None:
    service = measured()
    for _ in range(3):
        service.serve("a")

    assert service.serve("a", width=512, height=512)[-1] == pytest.approx(512 * 512e-3)


def test_a_picture_is_announced_again_where_it_is_decoded_again(measured: Callable[..., Measured]) -> None:
    service = measured(dtype=torch.float16)
    service.serve("a")

    *_, half, single = service.serve("a")

    assert half > 0
    assert single == pytest.approx(2 * half)


def test_each_pass_of_a_step_is_announced(measured: Callable[..., Measured]) -> None:
    service = measured()
    service.serve("a", deterministic=True)

    *passes, _decoded = service.serve("aaa", deterministic=True)

    assert passes == [8, 16]


def test_the_search_for_a_row_at_fault_is_announced_pass_by_pass(measured: Callable[..., Measured]) -> None:
    service = measured()
    service.serve("a", deterministic=True)

    passes = service.serve("a", "bad", deterministic=True, guidance_scale=1.0)

    assert passes[:3] == [8, 16, 24]
    assert len(service.recorder.failures) == 1
    assert service.serve("a", deterministic=True)[0] == 8


def test_compiling_for_a_new_shape_is_allowed_for_once_and_not_learned(measured: Callable[..., Measured]) -> None:
    class Compiling(Still):
        def __call__(self, latents: Tensor, *given: object, **options: object) -> tuple[Tensor]:
            if len(latents) not in shapes:
                shapes.add(len(latents))
                service.now += 60.0
            return super().__call__(latents, *given, **options)

    shapes: set[int] = set()
    service = measured(kernels=Kernels(compiled=True))
    checkpoint: Checkpoint = service.engine._memory._models.lease("model").loaded
    checkpoint.unet._unet = Compiling()

    first, second, third, _decoded = service.serve("a", steps=3)

    assert first > COMPILE_SECONDS
    assert second < first - COMPILE_SECONDS / 2
    assert third == pytest.approx(2.0)
