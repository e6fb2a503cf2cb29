"""What becomes of a job whose worker died with it or fell silent, as `MemoryLedger` sees it.

A job that may have killed its worker is tried again, at first at once and then ever later, and alone: by a worker that
holds nothing else, so that no other job can be killed with it. Such a job takes turns as its tenant does. When it is
next and the worker that asks holds something, that worker stops claiming until its hand is empty, or for one lease; one
worker a model does so at a time.
"""

from collections.abc import Iterable

from darkroom.contract.job import LostAttempt
from darkroom.ledger.record import Record
from darkroom.ledger.rules import LEASE_LOST, Rules


class Quarantine:
    """Who makes room for a job that must run alone, by model: the worker, and until when."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._emptying: dict[str, tuple[str, int]] = {}

    def stops(self, worker: str, held: Iterable[Record], now: int) -> bool:
        """Whether this worker may claim nothing: it runs a job alone, or empties its hand for one."""
        held = tuple(held)
        emptying = any(who == worker and until > now for who, until in self._emptying.values())
        return any(record.alone for record in held) or (emptying and bool(held))

    def taken(self, worker: str, now: int) -> frozenset[str]:
        """Models for whose lone jobs another worker makes room."""
        return frozenset(model for model, (who, until) in self._emptying.items() if who != worker and until > now)

    def make_room(self, model: str, worker: str, now: int) -> None:
        self._emptying[model] = (worker, now + self._rules.lease_ms)

    def forget(self, worker: str) -> None:
        """It is dead, and makes room for nobody."""
        self._emptying = {model: room for model, room in self._emptying.items() if room[0] != worker}

    def began(self, model: str) -> None:
        """A job runs alone: whoever made room for it may go on."""
        self._emptying.pop(model, None)


def note_loss(record: Record, rules: Rules, now: int) -> LostAttempt:
    """Add the attempt that was lost to the job's history, and say how and when it may be tried again."""
    lost = LostAttempt(
        attempt=record.attempt - record.handed_back,
        worker=record.worker,
        ended=record.fate or LEASE_LOST,
        killed=record.fate is not None,
        at=now / 1000,
    )
    record.lost.append(lost)
    record.alone = record.alone or lost.killed or len(record.lost) >= rules.alone_after
    record.not_before_ms = now + rules.retry_delay_ms(lost.attempt)
    return lost
