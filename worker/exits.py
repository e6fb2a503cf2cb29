"""How a child tells its supervisor why it ended, after sysexits.h."""

STOPPED = 0  # drained after a signal
NO_WEIGHTS = 66  # EX_NOINPUT: a checkpoint is missing or broken; tried again slowly
DEVICE_LOST = 70  # EX_SOFTWARE: the engine thread died, as after a CUDA error; restarted
ORPHANED = 75  # EX_TEMPFAIL: the supervisor is gone
MISCONFIGURED = 78  # EX_CONFIG: the process must not start; the supervisor ends as well
