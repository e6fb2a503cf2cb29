import time

import pytest

from api.waiting import wanted_wait


def test_a_hostile_preference_takes_no_time() -> None:
    hostile = "wait=" + "0" * 16_000 + "x"
    began = time.thread_time()
    assert wanted_wait(hostile) == 0
    assert time.thread_time() - began < 0.1


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=10", 10),
        ("respond-async, wait=5", 5),
        ("Wait = 7; foo", 7),
        ('wait="3"', 3),
        ("wait=60", 60),
        ("wait=61", 60),
        ("wait=999999999", 60),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=٣", 0),
        ("wait", 0),
        ("wait=", 0),
        ("await=5", 0),
        ("wait=9999999999", 60),
        ("wait=" + "9" * 5000, 60),
        ("wait=" + "0" * 5000 + "7", 7),
    ],
)
def test_a_preference_is_granted_as_far_as_it_goes_and_never_an_error(prefer: str | None, seconds: int) -> None:
    assert wanted_wait(prefer) == seconds
