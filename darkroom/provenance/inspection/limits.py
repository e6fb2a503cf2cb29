"""What one inspection may use. Enforced by the kernel on the process that does it."""

import math
import os
import resource
import time
from pathlib import Path
from typing import Final

from darkroom.provenance.pictures import MOST_BYTES

MEMORY_BYTES: Final = MOST_BYTES + 80_000_000  # of address space beyond what a new child has: allocators leave gaps
CPU_SECONDS: Final = 10  # the worst picture that is let in takes 2 on the machine this was measured on
WALL_SECONDS: Final = 30.0  # the machine is busy with something else

_STATM: Final = Path("/proc/self/statm")  # Linux: address space and resident memory, in pages
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def confine() -> None:
    """Grow by at most MEMORY_BYTES from now on, write no file, and leave no core behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if _STATM.exists():
        most = _pages(0) * _PAGE + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def grant_seconds() -> None:
    """CPU_SECONDS more of processor time; whoever uses them up is ended by SIGXCPU."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + CPU_SECONDS, most))


def resident_bytes() -> int:
    """0 where the system does not say."""
    return _pages(1) * _PAGE if _STATM.exists() else 0


def _pages(field: int) -> int:
    return int(_STATM.read_text().split()[field])
