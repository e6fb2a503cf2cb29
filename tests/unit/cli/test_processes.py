"""Children of `up`: their logs stay short, and they die with whoever started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from darkroom.cli.processes import trim_log
from darkroom.lifeline import before_exec, tie_to


def test_a_log_that_has_grown_too_long_begins_anew_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    (tmp_path / "worker.log.1").write_text("older")
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old" * 40)
        trim_log(log, most=100)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "worker.log.1").read_bytes() == b"old" * 40


def test_a_short_log_and_one_that_is_not_there_are_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    trim_log(log)
    log.write_text("short")
    trim_log(log, most=100)
    assert [path.name for path in tmp_path.iterdir()] == ["api.log"]


def test_a_process_whose_parent_has_gone_hears_of_it_when_it_asks() -> None:
    program = "import os, sys; from darkroom.lifeline import tie_to; sys.exit(0 if tie_to(os.getppid())() else 9)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
    assert subprocess.run([sys.executable, "-c", program.replace("os.getppid()", "1")], timeout=60).returncode == 9


def test_a_child_of_another_parent_ends_before_it_begins() -> None:
    ended = subprocess.run(["/bin/true"], preexec_fn=before_exec(1), timeout=60)
    assert ended.returncode == 1
    assert callable(tie_to(os.getpid()))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does it")
def test_the_kernel_ends_a_child_with_its_parent() -> None:
    program = (
        "import os, subprocess, time; from darkroom.lifeline import before_exec;"
        "print(subprocess.Popen(['sleep', '60'], preexec_fn=before_exec(os.getpid())).pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    until = time.monotonic() + 10
    while running(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not running(child)


def running(pid: int) -> bool:
    """Not gone, and not waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
