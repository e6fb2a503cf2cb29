"""The process above the models, with real children that hold none."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.worker.children import LIMITS, READY_UNTIL_TERM, supervising
from worker.exits import MISCONFIGURED
from worker.status import Pulse
from worker.supervisor import Limits, Vigil


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.005)


def test_a_child_that_dies_is_followed_by_another_and_buried(tmp_path: Path) -> None:
    with supervising(
        tmp_path, 'say(state="ready")\nif born == 1: os.kill(os.getpid(), 9)\n' + READY_UNTIL_TERM
    ) as watch:
        wait_for(lambda: len(watch.births()) == 2)
        first, second = watch.births()
        assert first != second
        assert watch.buried == [first]
        assert watch.causes == ["child died: signal 9 (SIGKILL)"]


@pytest.mark.slow
def test_the_first_restart_does_not_wait_and_later_ones_do(tmp_path: Path) -> None:
    slow = Limits(tick=0.01, retry_most=60.0)
    with supervising(tmp_path, "sys.exit(9)", limits=slow) as watch:
        began = time.monotonic()
        wait_for(lambda: len(watch.births()) == 3)
        assert time.monotonic() - began > 1.0, "the second crash in a row is followed by a pause"


def test_a_child_whose_device_memory_did_not_come_back_is_followed_by_another(tmp_path: Path) -> None:
    with supervising(tmp_path, "if born == 1: sys.exit(71)\n" + READY_UNTIL_TERM) as watch:
        wait_for(lambda: len(watch.births()) == 2)
        assert watch.causes == ["child ended: device memory did not come back"]


def test_a_stop_drains_the_child_and_ends_well(tmp_path: Path) -> None:
    with supervising(tmp_path, READY_UNTIL_TERM) as watch:
        wait_for(lambda: watch.is_in("ready"))
        watch.supervisor.stop()
        assert watch.end() == 0
        assert watch.buried == []
        assert watch.status() is None


def test_a_stop_while_the_child_still_loads_ends_it_without_a_burial(tmp_path: Path) -> None:
    with supervising(tmp_path, "time.sleep(600)") as watch:
        wait_for(lambda: len(watch.births()) == 1)
        watch.supervisor.stop()
        assert watch.end() == 0
        assert watch.buried == []


def test_a_child_that_will_not_stop_is_killed_when_the_drain_time_is_over(tmp_path: Path) -> None:
    script = 'signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay(state="ready")\ntime.sleep(600)'
    with supervising(tmp_path, script, drain_seconds=0.1) as watch:
        wait_for(lambda: watch.is_in("ready"))
        watch.supervisor.stop()
        assert watch.end() == 0
        assert len(watch.buried) == 1, "its jobs must not wait for their leases"


def test_a_child_whose_step_never_ends_is_killed(tmp_path: Path) -> None:
    script = 'say(state="ready", step_at=time.monotonic(), step_seconds=0.001)\nif born == 1: time.sleep(600)\n'
    with supervising(tmp_path, script + READY_UNTIL_TERM) as watch:
        wait_for(lambda: len(watch.births()) == 2)
        assert watch.buried == watch.births()[:1]
        assert watch.causes == ["child killed: a step takes too long"]


def test_missing_weights_are_told_and_looked_for_again_slowly(tmp_path: Path) -> None:
    script = 'say(state="failed", detail="unet/x.safetensors: is not there")\nif born < 3: sys.exit(66)\n'
    with supervising(tmp_path, script + READY_UNTIL_TERM) as watch:
        seen: set[tuple[str, str]] = set()

        def ready() -> bool:
            if status := watch.status():
                seen.add((status.state, status.detail))
            return ("ready", "") in seen

        wait_for(ready)
        assert ("failed", "unet/x.safetensors: is not there") in seen
        assert len(watch.births()) == 3


def test_a_child_that_refuses_its_configuration_ends_the_supervisor(tmp_path: Path) -> None:
    with supervising(tmp_path, "sys.exit(78)") as watch:
        assert watch.end() == MISCONFIGURED
        assert len(watch.births()) == 1


def test_a_dead_childs_readiness_is_not_its_successors(tmp_path: Path) -> None:
    script = 'if born == 2: time.sleep(600)\nsay(state="ready")\ntime.sleep(0.1)\nsys.exit(1)'
    with supervising(tmp_path, script, drain_seconds=0.1) as watch:
        wait_for(lambda: len(watch.births()) == 2)
        status = watch.status()
        assert status is not None
        assert status.state == "loading"


def test_settings_reach_the_child_with_their_secrets_and_not_through_its_environment(tmp_path: Path) -> None:
    script = """
visible = open("/proc/self/environ").read() + open("/proc/self/cmdline").read()
url = orders["settings"]["redis_url"]
say(state="ready", detail=url.split("/")[2] + (" shown" if url in visible else " hidden"))
time.sleep(600)
"""
    with supervising(tmp_path, script, drain_seconds=0.0) as watch:
        wait_for(lambda: watch.is_in("ready"))
        status = watch.status()
        assert status is not None
        assert status.detail == "127.0.0.1:6379 hidden"
        assert status.child_pid is not None
        os.kill(status.child_pid, signal.SIGKILL)


WITH_STANDBY = replace(LIMITS, standby_after=0.0)


def test_a_standby_waits_and_replaces_the_child_that_dies(tmp_path: Path) -> None:
    with supervising(tmp_path, READY_UNTIL_TERM, limits=WITH_STANDBY) as watch:
        wait_for(watch.has_standby)
        assert len(watch.births()) == 1, "the standby has not begun"
        first = watch.child_pid()
        (waiting,) = watch.processes() - {first}
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len(watch.births()) == 2 and watch.is_in("ready"))
        assert watch.child_pid() == waiting


def test_a_standby_that_ended_is_not_relied_upon(tmp_path: Path) -> None:
    with supervising(tmp_path, READY_UNTIL_TERM, limits=WITH_STANDBY) as watch:
        wait_for(watch.has_standby)
        first = watch.child_pid()
        for pid in watch.processes():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(watch.births()) == 2 and watch.is_in("ready"))
        assert watch.child_pid() != first


def test_a_stop_ends_the_standby_too(tmp_path: Path) -> None:
    with supervising(tmp_path, READY_UNTIL_TERM, limits=WITH_STANDBY) as watch:
        wait_for(watch.has_standby)
        watch.supervisor.stop()
        assert watch.end() == 0
        assert watch.processes() == set()


def test_no_standby_is_kept_where_none_is_wanted(tmp_path: Path) -> None:
    with supervising(tmp_path, READY_UNTIL_TERM, limits=WITH_STANDBY, standby=False) as watch:
        wait_for(lambda: watch.is_in("ready"))
        time.sleep(0.1)
        assert len(watch.processes()) == 1


NOW = 1000.0
RUNNING = Pulse(state="ready", step_at=NOW - 40.0, step_seconds=20.0)


@pytest.mark.parametrize(
    ("pulse", "heard_at", "born_at", "verdict"),
    [
        (Pulse(state="loading"), NOW - 300, NOW - 300, None),
        (Pulse(state="loading"), NOW, NOW - 601, "loading takes too long"),
        (Pulse(state="waiting", detail="waiting for ledger and store"), NOW, NOW - 36_000, None),
        (Pulse(state="ready"), NOW - 59, 0.0, None),
        (Pulse(state="ready"), NOW - 61, 0.0, "no pulse"),
        (RUNNING, NOW, 0.0, None),
        (RUNNING.model_copy(update={"step_at": NOW - 61}), NOW, 0.0, "a step takes too long"),
        (RUNNING.model_copy(update={"step_seconds": 0.01, "step_at": NOW - 29}), NOW, 0.0, None),
        (RUNNING.model_copy(update={"step_seconds": 0.01, "step_at": NOW - 31}), NOW, 0.0, "a step takes too long"),
        (RUNNING.model_copy(update={"state": "draining", "step_at": NOW - 61}), NOW, 0.0, "a step takes too long"),
    ],
)
def test_a_child_is_overdue_after_three_times_what_its_step_should_take_and_never_before_the_floor(
    pulse: Pulse, heard_at: float, born_at: float, verdict: str | None
) -> None:
    assert Vigil(born_at, heard_at, pulse).overdue(NOW, Limits()) == verdict


def test_the_limits_of_these_tests_are_not_the_products() -> None:
    assert Limits().step_floor > LIMITS.step_floor
