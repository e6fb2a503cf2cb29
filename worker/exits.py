"""How a child tells its supervisor why it ended, after sysexits.h."""

import signal

STOPPED = 0  # drained after a signal
NO_WEIGHTS = 66  # EX_NOINPUT: a checkpoint is missing or broken; tried again slowly
DEVICE_LOST = 70  # EX_SOFTWARE: the engine thread died, as after a CUDA error; restarted
MEMORY_LOST = 71  # EX_OSERR: device memory did not come back after a picture had too little; drained, then restarted
CHECKERS_LOST = 73  # EX_CANTCREAT: safety checkers hang on all of their threads; drained, then restarted
ORPHANED = 75  # EX_TEMPFAIL: the supervisor is gone
MISCONFIGURED = 78  # EX_CONFIG: the process must not start; the supervisor ends as well


def in_words(code: int) -> str:
    """How a child died, by its exit code, which is negative for a signal."""
    if code == MEMORY_LOST:
        return "child ended: device memory did not come back"
    if code == CHECKERS_LOST:
        return "child ended: safety checkers did not come back"
    if code >= 0:
        return f"child died: exit code {code}"
    try:
        return f"child died: signal {-code} ({signal.Signals(-code).name})"
    except ValueError:  # a real-time signal has no name
        return f"child died: signal {-code}"
