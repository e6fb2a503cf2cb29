"""Processes that never outlive the one that started them, however it ends.

On Linux the kernel sends them a signal then (prctl(2), PR_SET_PDEATHSIG), when the thread that started them ends;
elsewhere nothing does.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def tie_to(parent: int, with_signal: signal.Signals = signal.SIGKILL) -> Callable[[], bool]:
    """What ties the process that calls it to `parent`; it answers False if that had died before it could ask."""
    # Loaded now: after a fork is no time for it.
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def tie() -> bool:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, with_signal)
        return os.getppid() == parent

    return tie


def before_exec(parent: int, with_signal: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """For `preexec_fn`: ties the child to `parent`, or ends it at once. Start it from a thread that lives on."""
    tie = tie_to(parent, with_signal)

    def prepare() -> None:
        if not tie():
            os._exit(1)

    return prepare
