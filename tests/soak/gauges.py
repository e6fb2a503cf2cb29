"""What a process holds, read from /proc, and whether it holds more and more."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

RSS_GROWTH = 0.05
MORE_HANDLES = 2  # a connection more or less of a pool is no leak
KEYS_GROWTH = 0.10  # of as many keys as jobs happen to be kept


@dataclass(frozen=True)
class Reading:
    """One process at one moment. `rss` in KiB."""

    at: float
    rss: int
    descriptors: int
    threads: int


def read(pid: int, at: float) -> Reading | None:
    """None for a process that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return None
    found = dict(re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE))
    return Reading(at, int(found["VmRSS"]), descriptors, int(found["Threads"])) if len(found) == 2 else None


def family(pid: int) -> Iterator[int]:
    """A process and those it started, the oldest first."""
    yield pid
    for path in sorted(Path(f"/proc/{pid}/task").glob("*/children")):
        try:
            children = path.read_text().split()
        except OSError:
            continue
        for child in sorted(map(int, children)):
            yield from family(child)


@dataclass(frozen=True)
class Growth:
    """From the first third after the warm-up to the last. Medians of memory, most of the others."""

    rss: tuple[float, float]
    descriptors: tuple[int, int]
    threads: tuple[int, int]

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> "Growth":
        third = max(1, len(readings) // 3)
        first, last = readings[:third], readings[-third:]
        return cls(
            (median(each.rss for each in first), median(each.rss for each in last)),
            (max(each.descriptors for each in first), max(each.descriptors for each in last)),
            (max(each.threads for each in first), max(each.threads for each in last)),
        )

    def leaks(self) -> list[str]:
        """What grew more than it may, in words."""
        found = []
        if self.rss[1] > self.rss[0] * (1 + RSS_GROWTH):
            found.append(f"memory grew from {self.rss[0]:.0f} to {self.rss[1]:.0f} KiB")
        for name, (before, after) in (("descriptors", self.descriptors), ("threads", self.threads)):
            if after > before + MORE_HANDLES:
                found.append(f"{name} grew from {before} to {after}")
        return found

    def figures(self) -> dict[str, list[float]]:
        mebibytes = [round(each / 1024, 1) for each in self.rss]
        return {"rss_mib": mebibytes, "descriptors": list(self.descriptors), "threads": list(self.threads)}


def keys_leak(readings: Sequence[int]) -> str | None:
    """Of Redis, in the same way."""
    third = max(1, len(readings) // 3)
    before, after = median(readings[:third]), median(readings[-third:])
    return f"Redis keys grew from {before:.0f} to {after:.0f}" if after > before * (1 + KEYS_GROWTH) else None
