"""How often a worker asks and tells the ledger."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rhythm:
    """How often things happen, in seconds. `look` is the least time between two claims of a busy worker.

    `looks` and `sweeps`: at most so many a second by all workers together, of looks in vain and of `reap`.
    """

    renew: float = 1.0
    reap: float = 2.0
    report: float = 0.2
    look: float = 0.02
    attend: float = 5.0
    drain: float = 20.0
    looks: float = 200.0
    sweeps: float = 50.0

    @classmethod
    def of(cls, lease_seconds: float, drain_seconds: float) -> "Rhythm":
        """At least three renewals a lease, and one a second: they also tell which jobs were canceled."""
        third = lease_seconds / 3
        return cls(renew=min(third, cls.renew), attend=min(third, cls.attend), drain=drain_seconds)
