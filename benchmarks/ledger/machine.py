"""On what a figure was measured, and what else that machine did."""

import os
from datetime import UTC, datetime
from pathlib import Path

BUSY = 0.25  # of the cores, before a benchmark begins


def model_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def machine() -> dict[str, object]:
    """`busy`: other work ran when this was asked, so that what is told by the wall, and as jobs a second, is less than
    the machine can do."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": model_name(),
        "cores": cores,
        "load_before": round(load, 2),
        "busy": load > BUSY * cores,
    }
