"""Who goes first, and that nobody waits for ever."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.engine.networks import Still, still_checkpoint
from tests.unit.engine.works import Recorder, cache_of, finish, make_work
from worker.engine import Engine
from worker.engine.policy import PATIENCE, choose


@dataclass(eq=False)
class Waiting:
    arrival: int = 0
    rows: int = 2
    remaining: int = 10
    deadline: float | None = None
    passed_over: int = 0


def test_the_earliest_deadline_goes_before_the_least_work() -> None:
    urgent, soon, short = Waiting(0, deadline=5.0), Waiting(1, deadline=9.0), Waiting(2, remaining=1)

    assert choose([short, soon, urgent], 4) == [urgent, soon]


def test_without_deadlines_the_least_remaining_work_goes_first_then_the_oldest() -> None:
    long, young, old = Waiting(0, remaining=9), Waiting(2, remaining=3), Waiting(1, remaining=3)

    assert choose([long, young, old], 4) == [old, young]


def test_a_row_left_over_is_filled_with_somebody_it_suffices_for() -> None:
    first, wide, narrow = Waiting(0, remaining=1), Waiting(1, remaining=2), Waiting(2, rows=1, remaining=3)

    assert choose([first, wide, narrow], 3) == [first, narrow]


def test_who_was_passed_over_for_long_goes_before_any_deadline() -> None:
    patient, urgent = Waiting(0, passed_over=PATIENCE + 1), Waiting(1, deadline=0.0)

    assert choose([urgent, patient], 2) == [patient]


def test_only_those_left_out_are_counted_as_passed_over() -> None:
    first, second = Waiting(0, remaining=1), Waiting(1, remaining=2)

    choose([first, second], 2)

    assert (first.passed_over, second.passed_over) == (0, 1)


@settings(deadline=None, max_examples=60)
@given(
    long=st.integers(1, 30),
    intruders=st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(1, 2)), min_size=1, max_size=6),
    most_rows=st.integers(2, 6),
)
def test_a_stream_of_more_urgent_works_delays_a_long_one_by_a_bounded_time(
    long: int, intruders: list[tuple[int, bool, int]], most_rows: int
) -> None:
    """Adversary: before every step, whatever was chosen is replaced by newcomers, shorter or with a deadline."""
    victim = Waiting(0, remaining=long)
    waiting, arrivals, steps = [victim], 1, 0
    while victim.remaining:
        while sum(seat.rows for seat in waiting) < 2 * most_rows + 2:
            remaining, has_deadline, rows = intruders[arrivals % len(intruders)]
            waiting.append(Waiting(arrivals, rows, remaining, float(arrivals) if has_deadline else None))
            arrivals += 1
        for seat in choose(waiting, most_rows):
            seat.remaining -= 1
        waiting = [seat for seat in waiting if seat.remaining]
        steps += 1
        assert steps <= PATIENCE + 1 + 2 * long


def test_rows_are_never_exceeded_and_never_idle_while_somebody_fits() -> None:
    waiting = [Waiting(index, rows=1 + index % 2) for index in range(9)]

    chosen = choose(waiting, 7)

    assert sum(seat.rows for seat in chosen) == 7


def test_a_lane_that_is_never_empty_does_not_starve_another() -> None:
    """One size has always more to do; a single picture of another size is still made in about twice its own steps."""
    recorder = Recorder()
    clock = iter(range(10**9))
    engine = Engine(cache_of(still_checkpoint()), recorder, clock=lambda: float(next(clock)))
    engine.admit(make_work("crowd", steps=2))
    engine.step()
    engine.admit(make_work("other", width=128, steps=20))
    steps = 0
    while "other" not in recorder.ended:
        if engine.room():
            engine.admit(make_work(f"crowd{steps}", steps=2))
        engine.step()
        steps += 1
        assert steps <= 2 * 20 + 20
    finish(engine)
    engine.close()


def test_turns_are_by_time_so_a_slow_lane_does_not_slow_a_quick_one_to_its_own_pace() -> None:
    recorder = Recorder()
    now = [0.0]

    def costing(seconds: float) -> Still:
        def before() -> None:
            now[0] += seconds

        return Still(before)

    cache = cache_of(still_checkpoint("slow", unet=costing(100.0)), still_checkpoint("quick", unet=costing(1.0)))
    for name in ("slow", "quick"):
        cache.lease(name).release()
    engine = Engine(cache, recorder, clock=lambda: now[0])
    engine.admit(make_work("slow", model="slow", steps=10))
    engine.admit(make_work("quick", model="quick", steps=50))

    while "quick" not in recorder.ended:
        engine.step()
    engine.close()

    assert len(recorder.steps["slow"]) <= 2


def test_works_of_a_model_without_room_wait_their_turn_and_are_not_overtaken_for_ever() -> None:
    """Two models of which memory holds one: the second waits for the first to end, newcomers wait behind it."""
    recorder = Recorder()
    cache = cache_of(still_checkpoint("a", size=80), still_checkpoint("b", size=80), budget_bytes=100)
    engine = Engine(cache, recorder)
    engine.admit(make_work("a1", model="a", steps=5))
    for _ in range(3):
        engine.step()
    engine.admit(make_work("b1", model="b", steps=2))
    engine.step()
    engine.admit(make_work("a2", model="a", steps=2))

    finish(engine)
    engine.close()

    assert recorder.ended == ["a1", "b1", "a2"]


def test_a_model_that_can_never_fit_fails_its_work_at_once() -> None:
    recorder = Recorder()
    cache = cache_of(still_checkpoint("a", size=80), still_checkpoint("huge", size=101), budget_bytes=100)
    engine = Engine(cache, recorder)
    engine.admit(make_work("huge", model="huge"))
    engine.admit(make_work("a", model="a"))

    finish(engine)
    engine.close()

    assert recorder.failures["huge"].code == "out_of_memory"
    assert list(recorder.images) == ["a"]
