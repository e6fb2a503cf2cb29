"""How many rows a pass gets: by what passes of several sizes took, on a clock that the tests turn."""

from collections.abc import Callable, Iterator

import pytest

from tests.unit.engine.networks import Still, Watched, still_checkpoint
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine
from worker.engine.knee import LOOK_AGAIN, SAMPLES, Knee

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

    def __init__(self, curve: Curve, max_rows: int = 8) -> None:
        self.recorder = Recorder()
        self.unet = Watched(Still(), lambda latents, _: self._take(curve(len(latents))))
        self._now = 0.0
        checkpoint = still_checkpoint(unet=self.unet)
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

    def make(curve: Curve) -> Timed:
        made.append(Timed(curve))
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
    assert service.engine.room() == 2


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
