"""Pictures, from their pixels to the store."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from darkroom.metrics.registered import FAST, SLOW, Registered
from darkroom.tracing import span


class FinishMetrics(Registered):
    """Of finishing, stage by stage, of the signing certificate, and of what the store has not taken."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__(registry)
        self.finish_seconds = Histogram(
            "darkroom_finish_duration_seconds",
            "Time from a picture's pixels to its being marked, signed, read back and stored.",
            ("format",),
            buckets=SLOW,
            registry=self.registry,
        )
        self.stage_seconds = Histogram(
            "darkroom_finish_stage_duration_seconds",
            "Time of one stage of finishing a picture: watermark, encode, sign, read_back or store.",
            ("stage",),
            buckets=FAST,
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
        self.certificate_expiry = Gauge(
            "darkroom_signing_certificate_expiry_timestamp_seconds",
            "Unix time at which the first certificate of the signing chain runs out.",
            ("algorithm",),
            registry=self.registry,
        )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is done inside is one stage of finishing a picture, also where it fails. For any thread."""
        with span(name), self.stage_seconds.labels(name).time():
            yield

    def spooled(self, *, pictures: int, size: int) -> None:
        """Note how many finished pictures wait on disk for the store, and their bytes."""
        self.spool_pictures.set(pictures)
        self.spool_bytes.set(size)

    def signs(self, algorithm: str, expires_at: float) -> None:
        """Show until when, in Unix seconds, this process can sign."""
        self.certificate_expiry.labels(algorithm).set(expires_at)
