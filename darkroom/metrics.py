"""Every instrument of the service, in one place, on a registry of its own.

Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters, bounded labels only. A
tenant is a bounded label because the operator names the tenants; a route is the pattern, never the path.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
_ROWS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64)


class Metrics:
    """What one process measures. A process shows only what it touches: unlabelled children appear with first use."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self._gateway()
        self._queue()
        self._engine()
        self._webhooks()
        self._safety()

    def _gateway(self) -> None:
        self.requests = Counter(
            "darkroom_http_requests",
            "HTTP requests answered.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "darkroom_http_request_duration_seconds",
            "Time from request to the end of the answer's head.",
            ("route", "method"),
            buckets=_FAST,
            registry=self.registry,
        )
        self.dependency_up = Gauge(
            "darkroom_dependency_up",
            "1 while the dependency answered the last check, else 0.",
            ("dependency",),
            registry=self.registry,
        )
        self.breaker_open = Gauge(
            "darkroom_breaker_open",
            "1 while calls to the dependency are refused at once because it does not answer, else 0.",
            ("dependency",),
            registry=self.registry,
        )
        self.verified_pictures = Counter(
            "darkroom_pictures_verified", "Pictures looked up, by what was found.", ("state",), registry=self.registry
        )
        self.verify_seconds = Histogram(
            "darkroom_verify_duration_seconds",
            "Time from a picture's last byte to its verdict, with the wait for its turn.",
            buckets=_FAST,
            registry=self.registry,
        )

    def _queue(self) -> None:
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
            buckets=_SLOW,
            registry=self.registry,
        )
        self.finished = Counter(
            "darkroom_jobs_finished",
            "Jobs a worker ended, by final state; `code` is the failure's, empty without one.",
            ("model", "state", "code"),
            registry=self.registry,
        )
        self.device_seconds = Counter(
            "darkroom_device_seconds",
            "Device time used.",
            ("tenant", "model"),
            registry=self.registry,
        )

    def _engine(self) -> None:
        self.steps = Counter("darkroom_steps", "Forward passes of a U-Net.", ("model",), registry=self.registry)
        self.step_seconds = Histogram(
            "darkroom_step_duration_seconds",
            "Time of one step of one lane.",
            ("model",),
            buckets=_FAST,
            registry=self.registry,
        )
        self.rows_per_step = Histogram(
            "darkroom_rows_per_step",
            "Rows that shared one forward pass.",
            ("model",),
            buckets=_ROWS,
            registry=self.registry,
        )
        self.finish_seconds = Histogram(
            "darkroom_finish_duration_seconds",
            "Time from a picture's pixels to its being marked, signed, read back and stored.",
            ("format",),
            buckets=_SLOW,
            registry=self.registry,
        )
        self.untimed = Counter(
            "darkroom_pictures_without_time",
            "Pictures that left without an attested time of signing, though a timestamp authority is set.",
            registry=self.registry,
        )
        self.spool_bytes = Gauge(
            "darkroom_spool_size_bytes",
            "Finished pictures on the worker's disk that the store has not taken yet.",
            registry=self.registry,
        )
        self.spool_pictures = Gauge("darkroom_spool_pictures", "The same, by number.", registry=self.registry)

    def _webhooks(self) -> None:
        self.webhook_attempts = Counter(
            "darkroom_webhook_attempts",
            "Attempts at deliveries, by class of the answer's status, or by what there was in its place.",
            ("outcome",),
            registry=self.registry,
        )
        self.webhook_lag_seconds = Histogram(
            "darkroom_webhook_lag_seconds",
            "Time from an event to the receiver's having it.",
            buckets=_SLOW,
            registry=self.registry,
        )
        self.webhooks_dead = Counter(
            "darkroom_webhooks_dead", "Deliveries that were given up, by reason.", ("reason",), registry=self.registry
        )
        self.webhooks_pending = Gauge(
            "darkroom_webhooks_pending", "Deliveries not yet made or given up.", registry=self.registry
        )
        self.webhooks_overdue_seconds = Gauge(
            "darkroom_webhooks_overdue_seconds",
            "How long the longest due delivery has waited for a courier.",
            registry=self.registry,
        )

        self.certificate_expiry = Gauge(
            "darkroom_signing_certificate_expiry_timestamp_seconds",
            "Unix time at which the first certificate of the signing chain runs out.",
            ("algorithm",),
            registry=self.registry,
        )

    def _safety(self) -> None:
        self.safety_checks = Counter(
            "darkroom_safety_checks",
            "What a checker was asked about: `clean`, `flagged`, or `unavailable` where it gave no answer.",
            ("stage", "checker", "outcome"),
            registry=self.registry,
        )
        self.safety_seconds = Histogram(
            "darkroom_safety_check_duration_seconds",
            "Time that a checker took for one text or picture.",
            ("stage", "checker"),
            buckets=_FAST,
            registry=self.registry,
        )
        self.safety_verdicts = Counter(
            "darkroom_safety_verdicts",
            "What became of what was looked at: `passed`, `annotated` where it was flagged and went on, or `blocked`.",
            ("stage", "action"),
            registry=self.registry,
        )
        self.blocked_seconds = Counter(
            "darkroom_blocked_device_seconds",
            "Device time used for generations that were blocked: no tenant's is counted with it.",
            ("model",),
            registry=self.registry,
        )

    def answered(self, *, route: str | None, method: str, status: int, seconds: float) -> None:
        """Count one HTTP request. `route` is the matched pattern, None when nothing matched."""
        pattern = route or "unmatched"
        known = method if method in _METHODS else "other"
        self.requests.labels(pattern, known, str(status)).inc()
        self.request_seconds.labels(pattern, known).observe(seconds)

    def broken(self, dependency: str, is_open: bool) -> None:
        """Note that a breaker has opened or closed."""
        self.breaker_open.labels(dependency).set(is_open)

    def verified(self, *, state: str, seconds: float) -> None:
        """Count one verdict, and how long it took."""
        self.verified_pictures.labels(state).inc()
        self.verify_seconds.observe(seconds)

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

    def ended(self, *, tenant: str, model: str, state: str, code: str, device_seconds: float) -> None:
        """Count a job whose last word the ledger took, and the device time of its last attempt.

        A bill is made of `device_seconds`: whoever has no picture because it was blocked is not charged for it.
        """
        self.finished.labels(model, state, code).inc()
        used = self.blocked_seconds.labels(model) if state == "blocked" else self.device_seconds.labels(tenant, model)
        used.inc(device_seconds)

    def checked(self, *, stage: str, checker: str, outcome: str, seconds: float) -> None:
        """Count what one checker was asked, and how long it took."""
        self.safety_checks.labels(stage, checker, outcome).inc()
        self.safety_seconds.labels(stage, checker).observe(seconds)

    def judged(self, *, stage: str, action: str) -> None:
        """Count what became of one text or picture that was looked at."""
        self.safety_verdicts.labels(stage, action).inc()

    def spooled(self, *, pictures: int, size: int) -> None:
        """Note how many finished pictures wait on disk for the store, and their bytes."""
        self.spool_pictures.set(pictures)
        self.spool_bytes.set(size)

    def passed(self, model: str, rows: int, seconds: float) -> None:
        """Count one forward pass and its rows."""
        self.steps.labels(model).inc()
        self.step_seconds.labels(model).observe(seconds)
        self.rows_per_step.labels(model).observe(rows)

    def signs(self, algorithm: str, expires_at: float) -> None:
        """Show until when, in Unix seconds, this process can sign."""
        self.certificate_expiry.labels(algorithm).set(expires_at)

    def render(self) -> bytes:
        """The text Prometheus scrapes, of type `CONTENT_TYPE`."""
        return generate_latest(self.registry)
