"""Content that is looked at, and what became of it."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from darkroom.metrics.registered import FAST, Registered


class SafetyMetrics(Registered):
    """Of checkers, and of verdicts."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
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
            buckets=FAST,
            registry=self.registry,
        )
        self.safety_verdicts = Counter(
            "darkroom_safety_verdicts",
            "What became of what was looked at: `passed`, `annotated` where it was flagged and went on, or `blocked`.",
            ("stage", "action"),
            registry=self.registry,
        )

    def checked(self, *, stage: str, checker: str, outcome: str, seconds: float) -> None:
        """Count what one checker was asked, and how long it took."""
        self.safety_checks.labels(stage, checker, outcome).inc()
        self.safety_seconds.labels(stage, checker).observe(seconds)

    def judged(self, *, stage: str, action: str) -> None:
        """Count what became of one text or picture that was looked at."""
        self.safety_verdicts.labels(stage, action).inc()
