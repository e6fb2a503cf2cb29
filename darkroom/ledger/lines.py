"""Who stands in line and who is next, as `MemoryLedger` sees it: by looking at every record, each time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from darkroom.contract.job import JobState
from darkroom.ledger.fairness import Account
from darkroom.ledger.protocol import Workload
from darkroom.ledger.record import Record
from darkroom.ledger.rules import Rules
from darkroom.settings.quotas import Quota


class Lines:
    """The lines among these records, and what each tenant has used at each desk."""

    def __init__(self, records: Mapping[str, Record], rules: Rules) -> None:
        self.accounts: defaultdict[tuple[str, str, str], Account] = defaultdict(Account)
        self.quotas: dict[str, Quota] = {}
        self._records = records
        self._rules = rules
        self._places = self._turns = 0

    def next_place(self) -> int:
        """A place behind all others."""
        self._places += 1
        return self._places

    def take_turn(self) -> None:
        """Count a job that was lent: every so many, bulk goes first."""
        self._turns += 1

    def waiting(self) -> list[Record]:
        return [record for record in self._records.values() if record.state is JobState.QUEUED]

    def in_line(self) -> list[Record]:
        """Those that wait and may be lent: not one that is to be tried again later."""
        return [record for record in self.waiting() if not record.delayed]

    def wake(self, now: int) -> None:
        """Let those join whose time has come."""
        late = [record for record in self.waiting() if record.delayed and record.not_before_ms <= now]
        for record in sorted(late, key=lambda r: (r.not_before_ms, r.id))[: self._rules.sweep]:
            record.delayed = False

    def fairest(self, models: Sequence[str], now: int, taken: Collection[str] = ()) -> Record | None:
        """Who is next among these models, but for jobs to be run alone of the models `taken`."""
        bulk_first = (self._turns + 1) % self._rules.bulk_every == 0
        for priority in ("bulk", "interactive") if bulk_first else ("interactive", "bulk"):
            desks = [(model, priority) for model in models]
            waiting = [record for record in self.in_line() if record.desk in desks and self._may_run(record, taken)]
            if waiting:
                return min(waiting, key=self._turn)
        return None

    def _may_run(self, record: Record, taken: Collection[str]) -> bool:
        most = self.quotas.get(record.tenant, Quota()).max_running
        full = most is not None and sum(other.tenant == record.tenant for other in self.running()) >= most
        return not full and not (record.alone and record.plan.model in taken)

    def running(self) -> list[Record]:
        return [record for record in self._records.values() if record.state is JobState.RUNNING]

    def workloads(self, now: int) -> dict[str, Workload]:
        """What each model has to do, where it has anything."""
        waiting, running = self.waiting(), self.running()
        return {
            model: Workload(
                waiting=sum(each.plan.model == model for each in waiting),
                queued_seconds=sum(each.expected_ms for each in waiting if each.plan.model == model) / 1000,
                running_seconds=sum(each.expected_ms for each in running if each.plan.model == model) / 1000,
                oldest_seconds=max((now - each.created_ms for each in waiting if each.plan.model == model), default=0)
                / 1000,
            )
            for model in {each.plan.model for each in (*waiting, *running)}
        }

    def level(self, record: Record, now: int) -> float:
        """What its tenant has used; where it has no line yet, not below those it joins."""
        own = self.used(record.desk, record.tenant, now)
        if any(other.line == record.line for other in self.in_line()):
            return own
        least = self._least(record)
        return max(own, self.used(least.desk, least.tenant, now)) if least else own

    def seated(self, desk: tuple[str, str]) -> list[str]:
        """Tenants with a line here, but for jobs to be run alone, the next in turn first."""
        return list(dict.fromkeys(other.tenant for other in sorted(self._at(desk), key=self._turn)))

    def _at(self, desk: tuple[str, str]) -> list[Record]:
        return [other for other in self.in_line() if other.desk == desk and not other.alone]

    def _least(self, record: Record) -> Record | None:
        """The first of those where a job waits or is to wait."""
        return min(self._at(record.desk), key=self._turn, default=None)

    def _turn(self, record: Record) -> tuple[float, int]:
        return self._account(record).level(self._rules.half_life_ms), record.place

    def weight(self, tenant: str) -> float:
        return self.quotas.get(tenant, Quota()).weight

    def used(self, desk: tuple[str, str], tenant: str, now: int) -> float:
        return self.accounts[(*desk, tenant)].used(now, self._rules.half_life_ms)

    def join(self, record: Record) -> None:
        """Who joins where others wait is raised to the least of them."""
        least = self._least(record)
        if least and all(other.line != record.line for other in self.in_line()):
            self._account(record).raise_to(self._account(least), self._rules.half_life_ms)

    def settle(self, record: Record, seconds: float, now: int) -> None:
        """Let the tenant's account hold `seconds` for this job instead of what it held so far."""
        weighed = seconds / record.quota.weight
        self._account(record).charge(weighed - record.charge, now, self._rules.half_life_ms)
        record.charge = weighed

    def position(self, record: Record) -> int | None:
        """Jobs ahead in the tenant's own line; None for one that does not wait."""
        if record.state is not JobState.QUEUED or record.delayed:
            return None
        return sum(other.place < record.place for other in self.in_line() if other.line == record.line)

    def _account(self, record: Record) -> Account:
        return self.accounts[(*record.desk, record.tenant)]
