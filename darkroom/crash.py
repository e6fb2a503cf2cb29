"""Points at which a process kills itself when told to, so that tests can ask what a crash there leaves behind.

`DARKROOM_CRASH_AT=after_claim:3` is SIGKILL at the third pass of `after_claim`. Nothing is armed otherwise, and nothing
can be in production: the settings refuse both together.
"""

import itertools
import os
import signal
from collections.abc import Iterator
from typing import Literal, get_args

Point = Literal[
    "after_commit_before_reply",  # the job is recorded, its caller does not know
    "after_claim",  # the ledger lent a job, nobody holds it
    "mid_step",  # a network has run, its answer is lost
    "after_verdict",  # all pictures of a job were looked at, nothing is stored nor told
    "after_watermark",  # pixels are marked, nothing is stored
    "after_upload",  # the picture is stored, its record is not
    "after_finish",  # the job has ended, its worker has not let go of it
    "webhook_sent_unmarked",  # the receiver has it, the ledger does not know
]
POINTS: tuple[str, ...] = get_args(Point)
PATTERN = rf"^({'|'.join(POINTS)}):[1-9][0-9]{{0,5}}$"

_armed: str | None = None
_passes: Iterator[int] = iter(())
_fatal_pass = 0


def arm(at: str | None) -> None:
    """Die at the n-th pass from now of a point, said as `point:n`; None disarms. `Settings.crash_at` holds the form."""
    global _armed, _passes, _fatal_pass
    point, _, number = at.partition(":") if at else ("", "", "0")
    _armed, _passes, _fatal_pass = point or None, itertools.count(1), int(number)


def here(point: Point) -> None:
    """Pass a point. Fit for any thread: the count is one step of the interpreter."""
    if _armed is not None and point == _armed and next(_passes) == _fatal_pass:
        os.kill(os.getpid(), signal.SIGKILL)
