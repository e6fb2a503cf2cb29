"""How many rows a pass gets: by what passes of several sizes took, on a clock that the tests turn."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from darkroom.contract.plan import PlannedLora
from tests.unit.engine.networks import Lettered, Still, Watched, still_checkpoint
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine
from worker.engine.knee import LOOK_AGAIN, SAMPLES, Knee
from worker.models.lora import Lora
from worker.models.lora_cache import LoraCache

Curve = Callable[[int], float]


def linear(fixed: float, per_row: float) -> Curve:
    return lambda rows: fixed + per_row * rows


def serve(knee: Knee, curve: Curve, passes: int = 200) -> None:
    """A lane that is always full."""
    for _ in range(passes):
        knee.learn(knee.rows, curve(knee.rows))


@pytest.mark.parametrize(
    ("curve", "rows"),
    [
        (linear(1.0, 0.0), 16),  # launches alone: rows are free
        (linear(0.0, 1.0), 2),  # arithmetic alone: sharing gains nothing
        (linear(16.3, 15.0), 16),  # 8 -> 16 rows of SDXL still gain 6 %
        (linear(16.3, 30.0), 8),
        (lambda rows: max(18.3, 6.0 + 8.0 * rows), 8),  # bound by launches with one row
        (lambda rows: rows + (100.0 if rows > 8 else 0.0), 2),  # a cliff beyond 8
    ],
)
def test_the_knee_is_where_twice_the_rows_gain_little(curve: Curve, rows: int) -> None:
    knee = Knee(16)

    serve(knee, curve)

    assert knee.settled
    assert knee.rows == rows


def test_passes_that_are_not_full_tell_nothing() -> None:
    knee = Knee(16)
    for _ in range(100):
        knee.learn(14, 14.0)

    assert (knee.rows, knee.settled) == (16, False)


def test_one_slow_pass_of_a_size_changes_nothing() -> None:
    knee = Knee(4)
    for seconds in (90.0, *[5.0] * (SAMPLES - 1)):
        knee.learn(4, seconds)
    for seconds in (60.0, *[4.0] * (SAMPLES - 1)):
        knee.learn(2, seconds)

    assert knee.rows == 4


def test_a_lane_looks_again_after_a_while() -> None:
    knee = Knee(8)
    serve(knee, linear(0.0, 1.0))
    assert knee.rows == 2

    serve(knee, linear(1.0, 0.0), LOOK_AGAIN + 100)

    assert (knee.rows, knee.settled) == (8, True)


def test_twice_the_knee_is_wanted_so_that_there_is_a_choice() -> None:
    knee = Knee(16)
    assert knee.wanted == 16

    serve(knee, linear(16.3, 60.0))

    assert (knee.rows, knee.wanted) == (4, 8)


class Timed:
    """An engine whose passes take what `curve` says, by their rows."""

    def __init__(self, curve: Curve, max_rows: int = 8, **fields: object) -> None:
        self.recorder = Recorder()
        self.unet = Watched(Still(), lambda latents, _: self._take(curve(len(latents))))
        self._now = 0.0
        checkpoint = replace(still_checkpoint(unet=self.unet), **fields)
        self.engine = Engine(cache_of(checkpoint), self.recorder, max_rows, clock=lambda: self._now)

    def _take(self, seconds: float) -> None:
        self._now += seconds

    def serve(self, jobs: int, **fields: object) -> None:
        """`jobs` of one guided image each, admitted as there is room."""
        for index in range(jobs):
            while not self.engine.room():
                self.engine.step()
            self.engine.admit(make_work(f"job{index}", **fields))
        finish(self.engine)


@pytest.fixture
def timed() -> Iterator[Callable[..., Timed]]:
    made: list[Timed] = []

    def make(curve: Curve, **fields: object) -> Timed:
        made.append(Timed(curve, **fields))
        return made[-1]

    yield make
    for each in made:
        each.engine.close()


def test_passes_stay_at_the_knee_once_it_is_found(timed: Callable[..., Timed]) -> None:
    service = timed(linear(0.0, 1.0))

    service.serve(30, steps=5)

    assert service.unet.passes[0] <= 8
    assert max(service.unet.passes[-20:]) == 2
    assert len(service.recorder.images) == 30


def test_there_is_room_for_twice_the_knee_while_a_lane_has_work_and_for_all_rows_when_none_has(
    timed: Callable[..., Timed],
) -> None:
    service = timed(linear(0.0, 1.0))
    service.serve(30, steps=5)
    assert service.engine.room() == 4

    service.engine.admit(make_work("one", steps=5))
    while "one" not in service.recorder.steps:
        service.engine.step()

    assert service.engine.room() == 1


def test_a_deterministic_lane_wants_twice_its_rows_and_leaves_no_limit_behind() -> None:
    recorder = Recorder()
    engine = Engine(cache_of(still_checkpoint()), recorder, 32)
    engine.admit(make_work(steps=5, deterministic=True))
    while not recorder.steps:
        engine.step()
    assert engine.room() == (2 * 8 - 2) // 2

    finish(engine)
    engine.close()

    assert engine.room() == 16


def test_what_memory_did_not_hold_is_not_tried_again_in_the_next_burst() -> None:
    refused: list[int] = []

    def before(latents_RCHW: Tensor, _context_RTC: Tensor) -> None:
        if len(latents_RCHW) > 2:
            refused.append(len(latents_RCHW))
            raise torch.OutOfMemoryError("CUDA out of memory")

    recorder = Recorder()
    engine = Engine(cache_of(still_checkpoint(unet=Watched(Still(), before))), recorder, 8)
    for burst in range(3):
        engine.admit(make_work(f"burst{burst}", seeds=(1, 2, 3, 4), steps=2))
        finish(engine)
    engine.close()

    assert refused == [8, 8, 4, 4]
    assert len(recorder.images) == 3


def test_more_rows_are_tried_again_after_a_while_also_where_no_pass_could_be_compared() -> None:
    knee = Knee(8)
    knee.fit(1)
    assert (knee.rows, knee.fits, knee.wanted) == (2, 1, 4)

    for _ in range(LOOK_AGAIN):
        knee.learn(2, 1.0, plain=False)

    assert (knee.rows, knee.fits, knee.wanted) == (8, 8, 8)


def test_passes_of_another_kind_are_not_compared() -> None:
    knee = Knee(16)
    curve = linear(16.3, 15.0)
    for _ in range(SAMPLES):
        knee.learn(16, 1.4 * curve(16), plain=False)

    serve(knee, curve)

    assert (knee.rows, knee.settled) == (16, True)


@pytest.mark.parametrize("prompts", [("aaa", "aaa"), ("aaa", "aaaaa")])
def test_a_step_of_several_passes_is_not_compared(prompts: tuple[str, str], timed: Callable[..., Timed]) -> None:
    service = timed(linear(0.0, 1.0), text=Lettered())
    for index in range(4):
        service.engine.admit(make_work(f"job{index}", prompt=prompts[index % 2], steps=SAMPLES))
    finish(service.engine)

    (knee,) = service.engine._lanes._knees.values()
    assert (knee.rows < 8) == (prompts[0] == prompts[1])


def test_a_lane_remembers_its_knee_when_it_comes_back(timed: Callable[..., Timed]) -> None:
    service = timed(linear(0.0, 1.0))
    service.serve(30, steps=5)
    service.unet.passes.clear()

    service.engine.admit(make_work("again", seeds=(1, 2, 3), steps=2))
    finish(service.engine)

    assert service.unet.passes == [2] * 6


def test_few_requests_share_their_passes_whatever_is_learned(timed: Callable[..., Timed]) -> None:
    service = timed(linear(0.0, 1.0))
    for index in range(3):
        service.engine.admit(make_work(f"job{index}", steps=9))
    finish(service.engine)

    assert service.unet.passes == [6] * 9


def test_deterministic_lanes_have_no_knee(timed: Callable[..., Timed]) -> None:
    service = timed(linear(0.0, 1.0))

    service.serve(20, steps=5, deterministic=True)

    assert set(service.unet.passes) == {8}


def test_a_long_job_does_not_starve_behind_a_low_knee(timed: Callable[..., Timed]) -> None:
    service = timed(linear(0.0, 1.0))
    service.serve(20, steps=5)
    service.engine.admit(make_work("long", steps=40))
    steps = 0
    while "long" not in service.recorder.ended:
        if service.engine.room():
            service.engine.admit(make_work(f"crowd{steps}", steps=2))
        service.engine.step()
        steps += 1
        assert steps < 400
    finish(service.engine)


@pytest.mark.parametrize("worn", [(), (PlannedLora(model="a", sha256="a" * 64, weight=1.0),)])
def test_passes_with_loras_are_not_compared(worn: tuple[PlannedLora, ...]) -> None:
    loras = LoraCache(lambda wanted: Lora(wanted.sha256, {}, 1), 100)
    engine = Engine(cache_of(still_checkpoint()), Recorder(), 4, loras=loras)
    engine.admit(make_work(seeds=(1, 2), steps=SAMPLES + 1, loras=worn))
    finish(engine)
    (knee,) = engine._lanes._knees.values()
    engine.close()

    assert (knee.rows == 4) == bool(worn)
