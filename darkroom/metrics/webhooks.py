"""Telling receivers."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from darkroom.metrics.registered import SLOW, Registered


class WebhookMetrics(Registered):
    """Of attempts, as couriers make them, and of what is due, as every gateway tells it."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.webhook_attempts = Counter(
            "darkroom_webhook_attempts",
            "Attempts at deliveries, by class of the answer's status, or by what there was in its place.",
            ("outcome",),
            registry=self.registry,
        )
        self.webhook_lag_seconds = Histogram(
            "darkroom_webhook_lag_seconds",
            "Time from an event to the receiver's having it.",
            buckets=SLOW,
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
