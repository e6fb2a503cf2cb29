"""Who is served next: the tenant that used the fewest device seconds lately.

A tenant has one account for each model and priority. It is charged a job's predicted seconds when the job is lent, so
that one claim for many jobs is already fair, and corrected to the measured ones when the job ends. What is in an
account halves every `half_life_ms` (the decayed fair share of Slurm's and HTCondor's schedulers). A tenant that joins a
line where others wait is raised to the least of them: idling saves up no credit, and a newcomer takes turns at once
instead of having the device alone until it has caught up.

The Lua twin is `scripts/fairness.lua`; both compute in the same order, in doubles, and so agree to the last bit.
"""

import math
from dataclasses import dataclass
from typing import Final

LN2: Final = 0.6931471805599453


@dataclass
class Account:
    """`seconds` of device time as they weighed at `at_ms`."""

    seconds: float = 0.0
    at_ms: int = 0

    def used(self, now_ms: int, half_life_ms: int) -> float:
        return self.seconds * math.pow(2.0, -(now_ms - self.at_ms) / half_life_ms)

    def charge(self, seconds: float, now_ms: int, half_life_ms: int) -> None:
        """Add device seconds; negative ones give back, never below nothing."""
        self.seconds = max(0.0, self.used(now_ms, half_life_ms) + seconds)
        self.at_ms = now_ms

    def level(self, half_life_ms: int) -> float:
        """The logarithm of what was used, as it weighed at time 0. Accounts that decay alike keep its order, whenever
        one looks: so it can be kept sorted."""
        return self.at_ms / half_life_ms + math.log(self.seconds) / LN2 if self.seconds > 0 else -math.inf

    def raise_to(self, least: "Account", half_life_ms: int) -> None:
        if self.level(half_life_ms) < least.level(half_life_ms):
            self.seconds, self.at_ms = least.seconds, least.at_ms
