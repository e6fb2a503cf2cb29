"""RQ's side of a worker: it listens for bells and refuses every other job.

A JSON serializer alone does not stop code execution, since RQ imports whatever function a job names. So the function,
the callbacks and the webhooks that a job in Redis may carry are all ignored here, but for `worker.tasks.serve`.
Only RQ's public names are used or overridden.
"""

from collections.abc import Callable, Sequence
from threading import Event, Thread
from types import FrameType
from typing import Any

from redis import Redis, RedisError
from rq import SimpleWorker, worker_registration
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.utils import now

from darkroom.log import get_logger
from darkroom.queue import SERVE, queue_name
from worker.tasks import serve

WORKER_TTL = 20  # seconds; RQ blocks in Redis for 15 s less, so an outage is seen soon
BEAT_SECONDS = 30.0
MAINTENANCE_SECONDS = 60

log = get_logger(__name__)


class RefusedBell(Exception):
    """A job in an RQ queue asked for something else than `worker.tasks.serve`."""


class Bell(Job):
    """An RQ job that can do one thing."""

    @property
    def func(self) -> Callable[[str], None]:
        """Raises: RefusedBell."""
        if self.func_name != SERVE or self.instance is not None:
            raise RefusedBell(f"only {SERVE} may be rung")
        return serve

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def restore(self, raw_data: Any) -> None:
        super().restore(raw_data)
        self.webhooks = []
        self.rate_limit_key = None
        self.repeats_left = None

    def send_webhooks(self, status: str | JobStatus, *, exc_string: str | None = None) -> None:
        """Never: RQ's own webhooks are unsigned and reach any address."""


class BellListener(SimpleWorker):
    """A SimpleWorker whose first signal drains the whole worker, and which stays listed while it serves for hours."""

    max_connection_wait_time = 5.0

    def __init__(self, models: Sequence[str], connection: Redis, on_stop: Callable[[], None]) -> None:
        super().__init__(
            [queue_name(model) for model in models],
            connection=connection,
            job_class=Bell,
            serializer="json",
            worker_ttl=WORKER_TTL,
            maintenance_interval=MAINTENANCE_SECONDS,
            log_job_description=False,
        )
        self._on_stop = on_stop

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self._on_stop()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """A second signal changes nothing: draining is bounded, and the supervisor kills what overruns."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the bell in this thread, as SimpleWorker does, with the heartbeats that it leaves out."""
        done = Event()
        beats = Thread(target=self._beat, args=(job, done), name="bell-beat", daemon=True)
        beats.start()
        try:
            super().execute_job(job, queue)
        finally:
            done.set()
            beats.join()

    def _beat(self, job: Job, done: Event) -> None:
        while not done.wait(BEAT_SECONDS):
            try:
                if (execution := self.execution) is not None:
                    self.maintain_heartbeats(job, execution)
            except RedisError as error:
                log.warning("bell.beat_failed", error=type(error).__name__)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Seconds until a worker that stopped beating counts as dead; SimpleWorker's own is seven minutes."""
        return int(3 * BEAT_SECONDS)

    def clean_registries(self) -> None:
        """Forget dead workers and their bells. The rest of RQ's maintenance is left out: parts of it unpickle."""
        for queue in self.queues:
            StartedJobRegistry(queue=queue, job_class=Bell).cleanup()
            FailedJobRegistry(queue=queue, job_class=Bell).cleanup()
            worker_registration.clean_worker_registry(queue)
        self.last_cleaned_at = now()  # type: ignore[assignment]

    def clean_group_registries(self) -> None:
        """Nothing of ours is in a group."""
