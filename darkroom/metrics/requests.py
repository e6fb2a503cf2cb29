"""What a gateway answers, and what it stands on."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from darkroom.metrics.registered import FAST, Registered

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics(Registered):
    """Of requests, of verdicts on pictures, and of whether ledger and store answer."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
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
            buckets=FAST,
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
            buckets=FAST,
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
