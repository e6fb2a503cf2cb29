"""What a worker's device does, pass by pass, and when it has nothing to do."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from darkroom.metrics.registered import FAST, Registered

_ROWS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64)


class DeviceMetrics(Registered):
    """Of steps, of how full they are, and of idleness."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.steps = Counter("darkroom_steps", "Forward passes of a U-Net.", ("model",), registry=self.registry)
        self.step_seconds = Histogram(
            "darkroom_step_duration_seconds",
            "Time of one step of one lane.",
            ("model",),
            buckets=FAST,
            registry=self.registry,
        )
        self.rows_per_step = Histogram(
            "darkroom_rows_per_step",
            "Rows that shared one forward pass.",
            ("model",),
            buckets=_ROWS,
            registry=self.registry,
        )
        self.rows_possible = Counter(
            "darkroom_rows_possible",
            "Rows that the forward passes made so far had room for: what `darkroom_rows_per_step_sum` is a share of.",
            ("model",),
            registry=self.registry,
        )
        self.idle_seconds = Counter(
            "darkroom_device_idle_seconds",
            "Time in which a worker's device had nothing to do: for want of `work`, or while weights were `loading`.",
            ("reason",),
            registry=self.registry,
        )

    def passed(self, model: str, rows: int, possible: int, seconds: float) -> None:
        """Count one forward pass, its rows, and how many it had room for."""
        self.steps.labels(model).inc()
        self.step_seconds.labels(model).observe(seconds)
        self.rows_per_step.labels(model).observe(rows)
        self.rows_possible.labels(model).inc(possible)

    def idled(self, reason: str, seconds: float) -> None:
        """Add to the time in which the device had nothing to do."""
        self.idle_seconds.labels(reason).inc(seconds)
