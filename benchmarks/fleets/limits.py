"""What a ledger has, how much of it a fleet takes, and which of it is used up first as the fleet grows."""

from dataclasses import dataclass

from benchmarks.fleets.measured import Measured
from benchmarks.ledger.meter import Cost

# Of one machine as they are rented. A thread that is busier than this answers late whenever much comes at once.
THREAD = 0.7
NETWORK = 10e9 / 8  # bytes a second, each way
FILE = 200e6  # bytes a second that a disk takes for good
MEMORY = 64e9  # bytes


@dataclass(frozen=True)
class Limit:
    """`used` of `most`. `growth`: how many times as large the fleet may be until it is reached."""

    name: str
    used: float
    most: float
    unit: str

    @property
    def growth(self) -> float:
        return self.most / self.used if self.used else float("inf")


def limits(second: Cost, held: float, slots: int = 1) -> list[Limit]:
    """The first that is reached comes first. `second`: what the busiest second costs; `held`: bytes of all records;
    `slots`: ledgers that share them alike."""
    found = [
        Limit("thread of Redis", second.cpu_us / 1e6 / slots, THREAD, "of its time"),
        Limit("memory", held / slots, MEMORY, "bytes"),
        Limit("network, into Redis", second.received / slots, NETWORK, "bytes/s"),
        Limit("network, out of Redis", second.sent / slots, NETWORK, "bytes/s"),
        Limit("append-only file", second.aof / slots, FILE, "bytes/s"),
    ]
    return sorted(found, key=lambda limit: limit.growth)


def records(measured: Measured, jobs: int, kept_seconds: float, waiting: int) -> float:
    """Bytes of what ended within `kept_seconds`, of `jobs` a day, and of what waits."""
    return jobs * kept_seconds / 86_400 * measured.bytes_ended + waiting * measured.bytes_queued
