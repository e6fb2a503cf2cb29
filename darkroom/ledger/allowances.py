"""So much a minute and no more, as `MemoryLedger` counts it; its Lua twin is `scripts/spend.lua`.

Each allowance is a bucket that holds a minute's worth and fills steadily, kept as the one time at which it will be
full (the generic cell rate algorithm, ITU-T I.371).
"""

from collections.abc import Mapping
from typing import Final

MINUTE_MS: Final = 60_000
MOST_KEPT: Final = 10_000  # so many callers are remembered, beyond which the full buckets, which say nothing, go


class Allowances:
    def __init__(self) -> None:
        self._full_at_ms: dict[str, int] = {}

    def spend(self, per_minute: Mapping[str, int], now_ms: int) -> int:
        """Take one from each of these, or from none. Returns 0, or in how many milliseconds there will be one."""
        later, wait = {}, 0
        for name, most in per_minute.items():
            each = step_ms(most)
            later[name] = max(self._full_at_ms.get(name, now_ms), now_ms) + each
            wait = max(wait, later[name] - now_ms - each * most)
        if wait == 0:
            self._full_at_ms.update(later)
            self._forget_full(now_ms)
        return wait

    def _forget_full(self, now_ms: int) -> None:
        if len(self._full_at_ms) > MOST_KEPT:
            self._full_at_ms = {name: at for name, at in self._full_at_ms.items() if at > now_ms}


def step_ms(per_minute: int) -> int:
    """Whole milliseconds in which one more may be spent."""
    return max(1, MINUTE_MS // per_minute)
