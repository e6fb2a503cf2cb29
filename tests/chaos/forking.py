"""Children forked from a supervisor that has torch loaded already, so that hundreds can be killed in minutes.

A fresh interpreter takes seconds of processor time to load torch; a fork takes none. The rest is the product's own: the
child's `main`, its orders on stdin, pulses, signals, models, engine, ledger and store. Never on a GPU: CUDA does not
survive a fork.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO

from worker import child
from worker.launch import ChildProcess


class ForkedProcess:
    """The part of `subprocess.Popen` that `ChildProcess` uses."""

    def __init__(self, pulse_fd: int) -> None:
        orders, told = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _be_a_child(orders, pulse_fd)
        os.close(orders)
        self.stdin: IO[bytes] = os.fdopen(told, "wb")

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("child", timeout)
            time.sleep(0.002)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _be_a_child(orders: int, pulse_fd: int) -> None:
    """What a new interpreter would begin with: a session, no handlers, no descriptors, no luck of its own."""
    code = 1
    try:
        os.setsid()
        os.dup2(orders, 0)
        for fd in map(int, os.listdir("/proc/self/fd")):
            if fd > 2 and fd != pulse_fd:
                with contextlib.suppress(OSError):
                    os.close(fd)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        random.seed()
        code = child.main()
        sys.stderr.flush()
    finally:
        os._exit(code)


class ForkedChild(ChildProcess):
    def _spawn(self, command: Sequence[str], pulse_fd: int) -> "subprocess.Popen[bytes]":
        return ForkedProcess(pulse_fd)  # type: ignore[return-value]
