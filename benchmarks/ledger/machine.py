"""On what a figure was measured, and what else that machine did."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

BUSY = 0.25  # of the cores, before a benchmark begins
LOOKED = 2.0  # seconds


def model_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def processors() -> tuple[float, float]:
    """Ticks that all processors were busy, and all ticks, since the machine started."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def machine() -> dict[str, object]:
    """`busy`: other work runs while this looks, so that what is told by the wall, and as jobs a second, is less than
    the machine can do. The load, a mean of the last minutes, tells of work that has ended."""
    busy_before, before = processors()
    time.sleep(LOOKED)
    busy, now = processors()
    share = (busy - busy_before) / max(1.0, now - before)
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": model_name(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "busy_before": round(share, 2),
        "busy": share > BUSY,
    }
