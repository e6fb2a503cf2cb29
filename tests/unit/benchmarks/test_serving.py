"""The yardstick of the benchmarks: what it computes from latencies, and that its rivals are served as they say."""

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.serving.clock import Clock
from benchmarks.serving.figures import good_share, goodput, p95
from benchmarks.serving.stock import in_static_batches, one_by_one, seconds_alone
from benchmarks.serving.workload import arrivals


class Drawing:
    """A stock pipeline that takes a second a call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def draw(self, clock: Clock, plans: list[Any]) -> None:
        self.calls.append([plan.seeds[0] for plan in plans])
        clock.now += 1.0
        clock.busy += 1.0


def asked(seed: int, steps: int = 20) -> Any:
    return SimpleNamespace(steps=steps, scheduler="ddim", guidance_scale=4.0, seeds=(seed,))


def test_the_clock_jumps_over_idle_time_and_never_back() -> None:
    clock = Clock()
    clock.jump(5.0)
    clock.jump(3.0)

    assert (clock.now, clock.busy) == (5.0, 0.0)


def test_the_clock_moves_by_work() -> None:
    clock = Clock()
    with clock.working():
        sum(range(10_000))

    assert clock.now == clock.busy > 0


def test_one_by_one_waits_for_those_before() -> None:
    assert one_by_one([2.0, 2.0, 1.0], [0.0, 1.0, 9.0]) == [2.0, 3.0, 1.0]


def test_a_static_batch_takes_all_that_agree_with_the_oldest_up_to_its_rows() -> None:
    stock = Drawing()
    plans = [asked(0), asked(1, steps=30), asked(2), asked(3), asked(4)]

    latencies = in_static_batches(stock, plans, [0.0, 0.0, 0.0, 0.0, 1.5], max_rows=4)

    assert stock.calls == [[0, 2], [1], [3, 4]]
    assert latencies == [1.0, 2.0, 1.0, 3.0, 1.5]


def test_each_kind_is_measured_once_a_round() -> None:
    stock = Drawing()

    assert seconds_alone(stock, [asked(0), asked(1), asked(2, steps=30)], rounds=2) == [1.0, 1.0, 1.0]
    assert stock.calls == [[0], [2], [1], [2]]


def test_arrivals_are_the_same_at_every_rate_but_for_the_scale() -> None:
    assert arrivals(50, 4.0) == pytest.approx([at / 4 for at in arrivals(50, 1.0)])
    assert 0.7 < arrivals(1000, 2.0)[-1] / 500 < 1.3


def test_p95_is_exceeded_by_a_twentieth() -> None:
    assert p95(list(range(1, 101))) == 95


def test_a_good_answer_takes_at_most_three_times_as_long_as_alone() -> None:
    assert good_share([3.0, 3.1, 1.0, 9.0], [1.0, 1.0, 1.0, 3.0]) == 0.75


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([(1.0, 1.0), (2.0, 0.9)], 1.5),
        ([(2.0, 0.9), (1.0, 1.0)], 1.5),
        ([(1.0, 1.0), (2.0, 0.96)], 2.0),
        ([(1.0, 0.475), (2.0, 0.1)], 0.5),
    ],
)
def test_goodput_lies_where_the_share_of_good_answers_falls_below_95_percent(
    shares: list[tuple[float, float]], expected: float
) -> None:
    assert goodput(shares) == pytest.approx(expected)
