"""What `benchmarks.scaling` measured, read back: the newest result that there is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.ledger.meter import Cost
from darkroom.ledger.rules import Rules

RESULTS = Path(__file__).parents[1] / "results"


BY_TENANTS = ("submit", "foresee")  # they look at tenants who wait at the same desk, at so many at most:
LOOKED_AT = Rules().outlook_tenants


@dataclass(frozen=True)
class Measured:
    """Costs of calls, by name: of each the dearest of what was measured with ten tenants, and with a crowd of them.
    Milliseconds of a sync of the file; bytes of a job that waits and of one that ended."""

    name: str
    busy: bool
    dearest: Mapping[str, Cost]
    crowded: Mapping[str, Cost]
    fsync_ms: float
    bytes_queued: int
    bytes_ended: int

    @classmethod
    def of(cls, name: str, figures: Mapping[str, Any]) -> "Measured":
        found = {
            condition: {call: Cost(**cost) for call, cost in costs.items()}
            for condition, costs in figures["ledger"].items()
        }
        crowded = found.pop("tenants")
        return cls(
            name=name,
            busy=figures["machine"]["busy"],
            dearest={
                call: max((each[call] for each in found.values()), key=lambda cost: cost.cpu_us) for call in crowded
            },
            crowded=crowded,
            fsync_ms=figures["fsync_ms"],
            bytes_queued=figures["bytes"]["queued"],
            bytes_ended=figures["bytes"]["ended"],
        )

    def with_tenants(self, waiting: int) -> dict[str, Cost]:
        """Where so many tenants have jobs in line at a desk."""
        share = min(waiting, LOOKED_AT) / LOOKED_AT
        return {
            call: self.crowded[call].times(share) + cost.times(1 - share) if call in BY_TENANTS else cost
            for call, cost in self.dearest.items()
        }


def newest(folder: Path = RESULTS) -> Measured:
    """Raises: FileNotFoundError where nothing was measured yet."""
    files = sorted(folder.glob("*-scaling*.txt"))
    if not files:
        raise FileNotFoundError(f"no result of benchmarks.scaling in {folder}")
    return Measured.of(files[-1].name, json.loads(files[-1].read_text().strip().splitlines()[-1])["figures"])
