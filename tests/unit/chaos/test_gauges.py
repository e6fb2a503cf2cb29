"""The soak tells a leak from a process that breathes."""

import os
import subprocess
import sys

import pytest

from tests.soak.gauges import Growth, Reading, family, keys_leak, read


def readings(*, rss: float = 0.0, descriptors: int = 0, threads: int = 0) -> list[Reading]:
    """Ninety, of which the last third has so much more."""
    late = [int(n >= 60) for n in range(90)]
    return [
        Reading(n, int(100_000 * (1 + rss * more)) + n % 3 * 500, 20 + descriptors * more, 8 + threads * more)
        for n, more in enumerate(late)
    ]


def test_what_stays_as_it_was_is_no_leak() -> None:
    assert Growth.of(readings(rss=0.04, descriptors=2, threads=1)).leaks() == []


@pytest.mark.parametrize(
    ("grown", "word"), [({"rss": 0.07}, "memory"), ({"descriptors": 3}, "descriptors"), ({"threads": 3}, "threads")]
)
def test_what_grows_is_named(grown: dict[str, float], word: str) -> None:
    (leak,) = Growth.of(readings(**grown)).leaks()  # type: ignore[arg-type]
    assert leak.startswith(word)


def test_keys_may_breathe_and_not_pile_up() -> None:
    assert keys_leak([100, 110, 95] * 30) is None
    assert keys_leak([*range(100, 190)]) == "Redis keys grew from 114 to 174"


def test_a_process_is_read_with_those_it_started() -> None:
    program = "print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it is up
        assert child.pid in list(family(os.getpid()))
        reading = read(child.pid, 1.0)
        assert reading is not None
        assert (reading.threads, reading.rss > 1000, reading.descriptors >= 3) == (1, True, True)
        child.kill()
    assert read(child.pid, 1.0) is None
