"""Jobs, from their place in line to their end."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from darkroom.metrics.registered import SLOW, Registered

# What becomes of jobs that no worker ends.
_UNTOLD: Final = ("canceled", "expired")


class JobMetrics(Registered):
    """Of lines, as every gateway tells them, and of ends: a worker tells of those it wrote, a sweep of all others."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.waiting = Gauge("darkroom_jobs_waiting", "Jobs in line.", ("model",), registry=self.registry)
        self.expected_seconds = Gauge(
            "darkroom_jobs_expected_seconds",
            "Device time that jobs in line, or running ones, are expected to take in all.",
            ("model", "state"),
            registry=self.registry,
        )
        self.oldest_seconds = Gauge(
            "darkroom_oldest_job_waiting_seconds",
            "How long the job that came first has been in line.",
            ("model",),
            registry=self.registry,
        )
        self.serving = Gauge("darkroom_workers", "Workers that serve a model.", ("model",), registry=self.registry)
        self.queue_wait_seconds = Histogram(
            "darkroom_queue_wait_seconds",
            "Time from submission to the first claim.",
            ("model", "priority"),
            buckets=SLOW,
            registry=self.registry,
        )
        self.finished = Counter(
            "darkroom_jobs_finished",
            "Jobs that ended, each once, by final state; `code` is the failure's, empty without one.",
            ("model", "state", "code"),
            registry=self.registry,
        )
        self.device_seconds = Counter(
            "darkroom_device_seconds",
            "Device time used, by the state in which its job ended; `requeued` where the attempt was not the last.",
            ("tenant", "model", "state"),
            registry=self.registry,
        )
        self.blocked_seconds = Counter(
            "darkroom_blocked_device_seconds",
            "Device time used for generations that were blocked: no tenant's is counted with it.",
            ("model",),
            registry=self.registry,
        )

    def claimed(self, *, model: str, priority: str, waited: float) -> None:
        """Note how many seconds a job waited for its first claim."""
        self.queue_wait_seconds.labels(model, priority).observe(waited)

    def line(self, model: str, *, waiting: int, oldest: float, queued: float, running: float) -> None:
        """Show a model's line as it is now; `queued` and `running` are expected device seconds."""
        self.waiting.labels(model).set(waiting)
        self.oldest_seconds.labels(model).set(oldest)
        self.expected_seconds.labels(model, "queued").set(queued)
        self.expected_seconds.labels(model, "running").set(running)

    def forget_lines(self) -> None:
        """Before all lines are shown anew: a model that has nothing to do is not among them."""
        for gauge in (self.waiting, self.oldest_seconds, self.expected_seconds):
            gauge.clear()

    def ended(self, *, model: str, state: str, code: str) -> None:
        """Count a job whose last word the ledger took."""
        self.finished.labels(model, state, code).inc()

    def used(self, *, tenant: str, model: str, state: str, seconds: float) -> None:
        """Count the device time of one attempt: once, when it has left its worker, however it ended.

        A bill is made of `device_seconds`: whoever has no picture because it was blocked is not charged for it.
        """
        if state == "blocked":
            self.blocked_seconds.labels(model).inc(seconds)
        else:
            self.device_seconds.labels(tenant, model, state).inc(seconds)

    def swept(self, untold: Iterable[tuple[str, str, str, int]], waiting: Iterable[str]) -> None:
        """Count ends that no worker wrote, of which a sweep alone is told: model, state, code, how many jobs.

        Of each model that has jobs `waiting`, a process shows such ends before it has any: of a counter that begins at
        1, Prometheus cannot tell that it has grown.
        """
        for model in waiting:
            for state in _UNTOLD:
                self.finished.labels(model, state, "")
        for model, state, code, jobs in untold:
            self.finished.labels(model, state, code).inc(jobs)
