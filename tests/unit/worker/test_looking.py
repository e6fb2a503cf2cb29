"""How often one of many workers looks for work."""

import pytest

from worker.looking import Looking

TINY = ("tiny",)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def looking(clock: Clock) -> Looking:
    looking = Looking(least=0.02, looks=500, clock=clock, dice=lambda low, high: (low + high) / 2)
    looking.making(3)
    return looking


def test_a_thousand_look_five_hundred_times_a_second_together(looking: Looking, clock: Clock) -> None:
    looking.beside({"tiny": 1_001})
    assert looking.due(TINY)
    looking.in_vain(TINY)
    clock.now += 1.99
    assert not looking.due(TINY)
    clock.now += 0.01
    assert looking.due(TINY)


@pytest.mark.parametrize("workers", [{}, {"tiny": 1}, {"tiny": 11}])
def test_few_look_as_often_as_one(looking: Looking, workers: dict[str, int]) -> None:
    looking.beside(workers)
    looking.in_vain(TINY)
    assert looking.due(TINY)


def test_a_look_in_vain_for_maps_says_nothing_of_generations(looking: Looking) -> None:
    looking.beside({"tiny": 1_001, "_preprocess": 1_001})
    looking.in_vain(("_preprocess",))
    assert looking.due(TINY)
    assert not looking.due(("_preprocess",))


def test_the_model_that_fewest_serve_sets_the_pace(looking: Looking, clock: Clock) -> None:
    looking.beside({"tiny": 1_001, "rare": 51})
    looking.in_vain(("tiny", "rare"))
    clock.now += 0.1
    assert looking.due(("tiny", "rare"))


@pytest.mark.parametrize(("jobs", "due"), [(4, False), (3, False), (2, True), (0, True)])
def test_who_has_ended_something_looks_at_once(looking: Looking, jobs: int, due: bool) -> None:
    looking.beside({"tiny": 1_001})
    looking.in_vain(TINY)
    looking.making(jobs)
    assert looking.due(TINY) is due


def test_who_hears_that_somebody_waits_looks_at_once(looking: Looking) -> None:
    looking.beside({"tiny": 1_001})
    looking.in_vain(TINY)
    looking.anew()
    assert looking.due(TINY)


def test_who_hears_of_it_while_it_looks_in_vain_looks_again(looking: Looking) -> None:
    looking.beside({"tiny": 1_001})
    assert looking.due(TINY)
    looking.anew()
    looking.in_vain(TINY)
    assert looking.due(TINY)
    looking.in_vain(TINY)
    assert not looking.due(TINY)


def test_an_end_is_seen_beside_a_map_that_was_taken_meanwhile(looking: Looking) -> None:
    looking.beside({"tiny": 1_001})
    looking.in_vain(TINY)
    looking.took(1)
    looking.making(3)
    assert looking.due(TINY)


def test_those_who_looked_together_do_not_go_on_together(clock: Clock) -> None:
    hasty, slow = (Looking(0.02, 500, clock, dice=lambda *ends, end=end: ends[end]) for end in (0, 1))  # type: ignore
    for looking in (hasty, slow):
        looking.making(1)
        looking.beside({"tiny": 1_001})
        looking.in_vain(TINY)
    clock.now += 1.0
    assert hasty.due(TINY)
    clock.now += 1.99
    assert not slow.due(TINY)
    clock.now += 0.02
    assert slow.due(TINY)


def test_what_all_do_for_all_each_does_the_more_seldom_the_more_they_are(looking: Looking) -> None:
    assert looking.seconds_between(2, 50) == 2
    looking.beside({"tiny": 100, "_preprocess": 100})
    assert looking.seconds_between(2, 50) == 2
    looking.beside({"tiny": 1_000, "_preprocess": 2_000})
    assert looking.seconds_between(2, 50) == 40
