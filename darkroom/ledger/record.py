"""A job as `MemoryLedger` holds it, and the event lines of its history."""

from dataclasses import dataclass, field

from darkroom.contract.job import (
    Artifact,
    EventName,
    Failure,
    Job,
    JobEvent,
    JobState,
    LostAttempt,
    Plan,
    Progress,
    Receipt,
)
from darkroom.contract.webhook import Webhook
from darkroom.ledger.protocol import JsonObject, Outcome
from darkroom.ledger.rules import EXHAUSTED, milliseconds
from darkroom.settings.quotas import Quota


@dataclass
class Record:
    """`place` orders the line and never changes, so a job that is handed back stands in front again.

    `attempt` grows with every claim, which makes (`id`, `attempt`) a fencing token even after a hand-back; what counts
    against the job is `attempt - handed_back`. `charge` is what its tenant's account holds for it, in device
    seconds over weight; `expected_ms` what it was expected to take when it came.
    `fate`: how the process that holds it died, as its supervisor said. `alone`: only for a worker that holds nothing
    else. `delayed`: not in line before `not_before_ms`.
    """

    id: str
    tenant: str
    plan: Plan
    place: int
    created_ms: int
    state: JobState = JobState.QUEUED
    attempt: int = 0
    handed_back: int = 0
    charge: float = 0.0
    expected_ms: int = 0
    quota: Quota = field(default_factory=Quota)
    trace: str | None = None
    worker: str = ""
    lease_until_ms: int = 0
    started_ms: int | None = None
    finished_ms: int | None = None
    webhook: Webhook | None = None
    announced: int = 0
    progress_told: str = ""
    progress: Progress | None = None
    artifacts: tuple[Artifact, ...] = ()
    receipt: Receipt | None = None
    failure: Failure | None = None
    fate: str | None = None
    alone: bool = False
    delayed: bool = False
    not_before_ms: int = 0
    lost: list[LostAttempt] = field(default_factory=list)
    events: list[JobEvent] = field(default_factory=list)

    @property
    def desk(self) -> tuple[str, str]:
        """Model and priority: within a desk, tenants take turns."""
        return self.plan.model, self.plan.priority

    @property
    def line(self) -> tuple[str, str, str, bool]:
        """The line it stands in while it waits."""
        return *self.desk, self.tenant, self.alone

    @property
    def dead(self) -> bool:
        """Given up after too many attempts."""
        return self.failure is not None and self.failure.code == EXHAUSTED.code

    def held_by(self, attempt: int) -> bool:
        return self.state is JobState.RUNNING and self.attempt == attempt

    def ended_by(self, attempt: int, outcome: Outcome) -> bool:
        """Whether this attempt has ended it so."""
        if (self.state, self.attempt) != (outcome.state, attempt):
            return False
        return (self.artifacts, self.receipt, self.failure) == (outcome.artifacts, outcome.receipt, outcome.failure)

    def overdue(self, now_ms: int) -> bool:
        deadline = self.plan.deadline_at
        return deadline is not None and milliseconds(deadline) <= now_ms

    def tell(self, event_id: str, name: EventName, now_ms: int, data: JsonObject) -> None:
        self.events.append(JobEvent(id=event_id, job_id=self.id, name=name, at=now_ms / 1000, data=dict(data)))

    def job(self) -> Job:
        return Job(
            id=self.id,
            tenant=self.tenant,
            state=self.state,
            plan=self.plan,
            attempt=self.attempt - self.handed_back,
            created_at=self.created_ms / 1000,
            started_at=None if self.started_ms is None else self.started_ms / 1000,
            finished_at=None if self.finished_ms is None else self.finished_ms / 1000,
            progress=self.progress,
            artifacts=self.artifacts,
            receipt=self.receipt,
            failure=self.failure,
            lost_attempts=tuple(self.lost),
            webhook=self.webhook,
        )
