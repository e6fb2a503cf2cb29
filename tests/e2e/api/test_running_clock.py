"""The clock of tests that hold the service to milliseconds."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.e2e.api.running_clock import RunningClock

STOPS_ITSELF = """
import os, signal, time
from tests.e2e.api.running_clock import RunningClock
clock = RunningClock()
with clock.going():
    real, ours = time.monotonic(), clock.now()
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(0.05)
    print(time.monotonic() - real, clock.now() - ours)
"""


def test_what_waits_counts() -> None:
    clock = RunningClock()
    with clock.going():
        real, ours = time.monotonic(), clock.now()
        while (counted := clock.now() - ours) < 0.1:
            time.sleep(0.01)
        assert counted <= time.monotonic() - real


@pytest.mark.slow
def test_what_holds_everybody_up_does_not() -> None:
    program = [sys.executable, "-c", STOPS_ITSELF]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as stopped:
        os.waitid(os.P_PID, stopped.pid, os.WSTOPPED)
        time.sleep(1)
        os.kill(stopped.pid, signal.SIGCONT)
        said, _ = stopped.communicate()
    took, counted = map(float, said.split())
    assert took > 1
    assert counted < took - 0.9
