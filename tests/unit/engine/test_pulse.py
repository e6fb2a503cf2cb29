"""How long the next operation should take."""

import pytest

from worker.engine.pulse import Pace


def test_the_first_guess_grows_with_the_size() -> None:
    assert Pace(0.5).expect(4) == 2.0


def test_what_was_measured_counts_more_than_the_guess() -> None:
    pace = Pace(0.5)
    pace.learn(2, 3.0)

    assert pace.expect(2) == 3.0


def test_an_unknown_size_is_scaled_up_from_the_nearest_and_never_down() -> None:
    pace = Pace(0.5)
    pace.learn(4, 1.0)

    assert pace.expect(8) == 2.0
    assert pace.expect(1) == 1.0


def test_the_pace_follows_what_is_measured() -> None:
    pace = Pace(0.5)
    for _ in range(50):
        pace.learn(2, 1.0)
    for _ in range(50):
        pace.learn(2, 9.0)

    assert pace.expect(2) == pytest.approx(9.0, rel=1e-3)
