"""A worker whose signing certificate comes to its end."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.until import until
from worker.expiry import CertificateWatch

END = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Watched:
    """A watch whose clock shows so much time before the end, and how often it stopped the worker."""

    def __init__(self, left: timedelta) -> None:
        self.left = left
        self.stops = 0
        self.watch = CertificateWatch(END, self._stop, lambda: END - self.left)

    def _stop(self) -> None:
        self.stops += 1

    def look(self) -> tuple[float | None, list[Any]]:
        with capture_logs() as said:
            pause = self.watch.look()
        return pause, [(line["log_level"], line["event"], line.get("days")) for line in said]


def test_nothing_is_said_while_there_is_time() -> None:
    assert Watched(31 * DAY).look() == (DAY.total_seconds(), [])


@pytest.mark.parametrize("days", [30, 7, 1])
def test_it_is_warned_of_daily_from_thirty_days_before(days: int) -> None:
    watched = Watched(days * DAY)
    pause, said = watched.look()
    assert said == [("warning", "certificate.expiring", days)]
    assert pause is not None
    assert pause <= DAY.total_seconds()
    assert watched.stops == 0


def test_the_last_look_is_a_minute_before_the_end() -> None:
    assert Watched(timedelta(hours=1)).look()[0] == 59 * 60


@pytest.mark.parametrize("left", [timedelta(minutes=1), timedelta(0), -DAY])
def test_then_the_worker_is_stopped_and_says_why(left: timedelta) -> None:
    watched = Watched(left)
    assert watched.look() == (None, [("error", "certificate.expired", None)])
    assert watched.stops == 1


@pytest.mark.parametrize(("left", "stops"), [(timedelta(seconds=60.2), 1), (DAY, 0)])
async def test_it_watches_until_it_has_stopped_the_worker_or_the_worker_stops_by_itself(
    left: timedelta, stops: int
) -> None:
    watched, stopping = Watched(left), threading.Event()
    thread = threading.Thread(target=watched.watch.run, args=(stopping,))
    thread.start()
    watched.left = timedelta(minutes=1)
    if not stops:
        stopping.set()
    await until(lambda: not thread.is_alive())
    assert watched.stops == stops
