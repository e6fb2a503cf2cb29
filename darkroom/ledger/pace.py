"""How long jobs take against what the planner thought, by model, as `MemoryLedger` learns it.

The planner guesses from the family of a model and knows nothing of the device. Each success moves the model's factor a
tenth of the way to what it measured (an exponentially weighted mean); one job counts no more than `MOST` of it. The Lua
twin is in `scripts/places.lua`.
"""

import math
from collections import defaultdict
from typing import Final

SHARE: Final = 0.1
MOST: Final = 50.0


class Pace:
    def __init__(self) -> None:
        self._factors: defaultdict[str, float] = defaultdict(lambda: 1.0)

    def expected_ms(self, model: str, predicted_seconds: float) -> int:
        return max(1, math.floor(predicted_seconds * self._factors[model] * 1000 + 0.5))

    def learn(self, model: str, predicted_seconds: float, seconds: float) -> None:
        if predicted_seconds > 0 and seconds > 0:
            measured = min(max(seconds / predicted_seconds, 1 / MOST), MOST)
            self._factors[model] += SHARE * (measured - self._factors[model])
