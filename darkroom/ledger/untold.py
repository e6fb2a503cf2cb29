"""Ends that no worker writes: of jobs that were canceled, expired in line, or were given up.

They are counted in the step that makes them, and the next sweep is told of each once. So it does not matter who ended
a job, nor whether the answer to that was lost on the way.
"""

from collections import Counter
from collections.abc import Mapping

from darkroom.ledger.protocol import Ended
from darkroom.ledger.rules import EXHAUSTED
from darkroom.ledger.transitions import Move

# The code of the failure by the move; what is not here is a worker's.
UNTOLD: Mapping[Move, str] = {Move.CANCEL: "", Move.EXPIRE: "", Move.EXHAUST: EXHAUSTED.code}


class Untold:
    """What `MemoryLedger` has for it; the Lua scripts keep the same counts in a hash."""

    def __init__(self) -> None:
        self._jobs: Counter[str] = Counter()

    def note(self, move: Move, state: str, model: str) -> None:
        """Count a job that a move has ended, unless it is a worker's to tell."""
        code = UNTOLD.get(move)
        if code is not None:
            self._jobs[f"{state} {code} {model}"] += 1

    def take(self) -> tuple[Ended, ...]:
        """What was counted since it was taken last."""
        told = read_untold(self._jobs)
        self._jobs.clear()
        return told


def read_untold(jobs: Mapping[str, int]) -> tuple[Ended, ...]:
    """Counts by "STATE CODE MODEL", in order."""
    told = []
    for name in sorted(jobs):
        state, code, model = name.split(" ", 2)
        told.append(Ended(model=model, state=state, code=code, jobs=jobs[name]))
    return tuple(told)
