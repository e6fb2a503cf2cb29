"""What a ledger promises. `RedisLedger` keeps it with Lua scripts, `MemoryLedger` in dictionaries; one suite for both.

Every method may raise `LedgerUnavailable`. Times are Unix seconds by the ledger's own clock.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from darkroom.contract.base import Settled
from darkroom.contract.job import Artifact, Failure, Job, JobEvent, JobState, Plan, Progress, Receipt
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.webhook import Webhook
from darkroom.ledger.deliveries import Deliveries
from darkroom.settings.quotas import Quota

JsonObject = Mapping[str, JsonValue]


class Submission(Settled):
    """A plan at the door. `job_id` is a ULID made by the gateway; `body_hash` the sha256 of the canonical request.

    `trace`: the W3C `traceparent` of the request, which goes with the job and is no part of its plan.
    """

    job_id: str
    tenant: str
    plan: Plan
    idempotency_key: str | None
    body_hash: str
    webhook: Webhook | None = None
    quota: Quota = Quota()
    trace: str | None = None


class Outlook(Settled):
    """What a waiting job may expect.

    `position`: how many jobs of the same tenant, model and priority `claim` would take first; None for one that is
    tried again only later. Others' jobs have no fixed order beside them: tenants take turns by what they use.
    `ahead_seconds`: device time of all that is expected to be served first. `own_seconds`: its own. `wait_seconds`:
    until it begins, by the `workers` that serve its model; None where there are none.
    """

    position: int | None
    ahead_seconds: float
    own_seconds: float
    workers: int
    wait_seconds: float | None


class Submitted(Settled):
    """`replayed`: the idempotency key had been used, and `job` is the first one. `outlook`: None once it has begun."""

    job: Job
    replayed: bool
    outlook: Outlook | None


class Claim(Settled):
    """One job lent to one worker until `lease_until`. (`job_id`, `attempt`) is the fencing token. `waited`: seconds
    since it was submitted. `trace`: the `traceparent` of the request that asked for it, if it was traced."""

    job_id: str
    tenant: str
    attempt: int
    plan: Plan
    lease_until: float
    waited: float
    trace: str | None = None

    @property
    def generation(self) -> GenerationPlan:
        """The plan of a generation. Raises: TypeError for a job that is none."""
        if not isinstance(self.plan, GenerationPlan):
            raise TypeError(f"this job is a {self.plan.task}")
        return self.plan


class Renewal(Settled):
    """Which of the renewed jobs the worker must drop: `lost` to another attempt, or `canceled` by their owner."""

    lost: frozenset[str]
    canceled: frozenset[str]


class Outcome(Settled):
    """How an attempt ended: pictures with their receipt, or a failure."""

    state: JobState
    artifacts: tuple[Artifact, ...] = ()
    receipt: Receipt | None = None
    failure: Failure | None = None
    device_seconds: float = 0.0


class Workload(Settled):
    """What one model has to do. Seconds of the device are as expected; `oldest_seconds` is how long the job that came
    first has waited, 0 with none in line."""

    waiting: int
    queued_seconds: float
    running_seconds: float
    oldest_seconds: float


class Ended(NamedTuple):
    """How many jobs of one model ended in one way; `code` is that of their failure, empty without one."""

    model: str
    state: str
    code: str
    jobs: int


class Reaped(Settled):
    """What a sweep did: jobs put back, jobs ended (`expired`, `failed` as attempts_exhausted), and who still waits.

    `untold`: all jobs that were ended by others than workers since the last sweep of one who counts them: canceled,
    expired in line, given up. Nobody else is told of them.
    """

    requeued: tuple[str, ...]
    ended: tuple[str, ...]
    waiting: Mapping[str, int]
    untold: tuple[Ended, ...] = ()


class JobPage(Settled):
    """Newest first; `cursor` continues after the last one, None at the end."""

    jobs: tuple[Job, ...]
    cursor: str | None


class LedgerHealth(Settled):
    """`problems` stop a process from starting; `warnings` are shown by /readyz.

    `losses` are those of the warnings by which jobs that were accepted may be lost: production does not start on them.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    losses: tuple[str, ...] = ()


class Ledger(Protocol):
    @property
    def deliveries(self) -> Deliveries:
        """What the moves of jobs have webhooks to be told."""
        ...

    async def submit(self, submission: Submission) -> Submitted:
        """Record a job, its idempotency key and its place in line, at once.

        Raises: IdempotencyMismatch, TooLarge, TooLate, TenantLimit, QueueFull.
        """
        ...

    async def replay(self, tenant: str, key: str, body_hash: str) -> Submitted | None:
        """What `submit` answers to an idempotency key that was used before; None for one that was not.

        Raises: IdempotencyMismatch.
        """
        ...

    async def claim(self, worker: str, models: Sequence[str], room: int) -> list[Claim]:
        """Lend up to `room` jobs of these models, fairest first: interactive before bulk (every fifth job bulk first),
        then the tenant that has used or holds the fewest device seconds lately, then the oldest. Jobs past their
        deadline expire here.

        A job that may have killed a worker is lent by itself, to a worker that holds nothing else, which gets nothing
        more until that job has left it.
        """
        ...

    async def renew(self, worker: str, attempts: Mapping[str, int]) -> Renewal:
        """Extend the leases of these jobs (id -> attempt)."""
        ...

    async def report(self, *news: tuple[str, int, Progress]) -> None:
        """Append a progress event to each of these jobs, of these attempts. Silently nothing for a stale attempt:
        progress is advice."""
        ...

    async def show_preview(self, job_id: str, attempt: int, index: int, frame: bytes) -> None:
        """Keep a JPEG as the latest frame of image `index`, until the job leaves `running`, and a few minutes at most.
        Silently nothing for a stale attempt. Raises: ValueError for more than `MOST_PREVIEW_BYTES`, or no such image.
        """
        ...

    async def preview(self, tenant: str, job_id: str, index: int) -> bytes:
        """The latest frame of image `index`. Raises: NotFound where there is none, yet or any more."""
        ...

    async def finish(self, job_id: str, attempt: int, outcome: Outcome) -> Job:
        """Write the one terminal state, its event and what its webhook is to hear together. Said once more, as where
        the answer was lost, it changes nothing.

        Raises: StaleAttempt when the attempt has lost its lease, was canceled, or finished otherwise before.
        """
        ...

    async def release(self, job_id: str, attempt: int) -> None:
        """Hand a job back to the front of its line; the attempt does not count. Nothing for a stale attempt."""
        ...

    async def abandon(self, worker: str, how: str) -> tuple[str, ...]:
        """End the leases of a worker known to be dead, so that the next `reap` takes back its jobs, the ids of which
        are returned. The attempts count, and each job is tried again alone: one of them may have been what killed it.
        `how` it died is kept with them. Its supervisor says so; nobody else can know."""
        ...

    async def attend(self, worker: str, models: Sequence[str]) -> Mapping[str, int]:
        """Say that this worker serves these models and no others, for one lease, or until it is abandoned. Returns how
        many workers serve each of them, this one included."""
        ...

    async def serving(self) -> Mapping[str, int]:
        """How many workers attend to a model; one that nobody serves is not among them."""
        ...

    async def reap(self, *, counts: bool = True) -> Reaped:
        """Put back what dead workers held, end what is out of attempts or past its deadline. Run by all, often. One
        whose counts nobody sees leaves what is `untold` to others."""
        ...

    async def cancel(self, tenant: str, job_id: str) -> Job:
        """Cancel exactly this job, queued or running. A terminal job is returned as it is. Raises: NotFound."""
        ...

    async def get(self, tenant: str, job_id: str) -> Job:
        """Raises: NotFound, also for another tenant's job."""
        ...

    async def foresee(self, job_ids: Sequence[str]) -> Mapping[str, Outlook]:
        """What those of these jobs that wait may expect."""
        ...

    async def jobs(self, tenant: str, *, limit: int, cursor: str | None = None, dead: bool = False) -> JobPage:
        """The tenant's generations, newest first; `dead`: those alone that were given up after too many attempts.

        Raises: InvalidField for a cursor that is not ours.
        """
        ...

    async def events(self, job_id: str, *, after: str = "0", wait: float = 0.0) -> list[JobEvent]:
        """Events after the id `after`, oldest first; with none there, waits up to `wait` seconds for the first."""
        ...

    async def waiting(self) -> Mapping[str, int]:
        """Jobs in line, by model."""
        ...

    async def workloads(self) -> Mapping[str, Workload]:
        """By model; one that has nothing to do is not among them."""
        ...

    async def leftovers(self, *, after: str = "0", limit: int = 100) -> list[tuple[str, tuple[str, ...]]]:
        """Where `reap` forgot a record, or one was blocked after other attempts at it, keys in the store at which it
        may have left pictures: (row id, keys)."""
        ...

    async def take_leftovers(self, after: str, limit: int, lease: float) -> list[tuple[str, tuple[str, ...]]]:
        """The first `limit` of them behind the row `after`, lent for `lease` seconds: nobody else is given them
        meanwhile. Fewer only where no more are free. Raises: InvalidField for a row that is not ours."""
        ...

    async def leftovers_done(self, *rows: str) -> None:
        """Forget rows, once nothing lies at their keys any more."""
        ...

    async def spend(self, per_minute: Mapping[str, int]) -> float:
        """Take one from each of these allowances (name -> so many a minute, all of which may be taken at once), or from
        none. Returns 0, or in how many seconds there will be one."""
        ...

    async def prefer(self, tenant: str, kind: str, changes: JsonObject) -> JsonObject:
        """Keep these as what the tenant wants of this kind where its requests say nothing; None takes one back.
        Returns all of them. They are forgotten when nobody has asked for them in a few months.

        Raises: ValueError for a name, a value or a number of them that is too large.
        """
        ...

    async def preferences(self, tenant: str, kind: str) -> JsonObject:
        """What the tenant prefers of this kind; asking keeps it."""
        ...

    async def check(self) -> LedgerHealth:
        """Is the server one we can promise on: reachable, open to us, no eviction, AOF `always`.

        Raises: LedgerUnavailable; LedgerRefused where it is there and does not let us in.
        """
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
