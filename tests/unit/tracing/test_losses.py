"""Spans that come to no collector are counted, and said now and then."""

from collections.abc import Iterator, Sequence
from threading import Event, Thread

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from structlog.testing import capture_logs

from darkroom import tracing
from darkroom.metrics import Metrics
from darkroom.services.span_queue import Losses, Sending, SpanQueue

MOST = 8


class Sender(SpanExporter):
    """Takes a batch once it may; `answers`, or stumbles."""

    def __init__(self, answers: SpanExportResult = SpanExportResult.SUCCESS) -> None:
        self.answers = answers
        self.may, self.begun = Event(), Event()
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.begun.set()
        assert self.may.wait(10)
        self.taken += len(spans)
        return self.answers

    def shutdown(self) -> None:
        pass


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", str(MOST))
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
    yield
    tracing._Recording.lost.clear()


def value(reason: str) -> float | None:
    return Metrics().registry.get_sample_value("darkroom_spans_dropped_total", {"reason": reason})


def test_what_finds_no_room_is_counted_and_all_else_is_sent() -> None:
    sender, losses = Sender(), Losses()
    queue = SpanQueue(sender, losses)
    provider = TracerProvider()
    provider.add_span_processor(queue)
    tracer = provider.get_tracer("test")
    with capture_logs() as lines:
        for _ in range(2):
            tracer.start_span("early").end()
        assert sender.begun.wait(10)  # these two are on their way, and wait no longer
        threads = [Thread(target=lambda: [tracer.start_span("late").end() for _ in range(10)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sender.may.set()
        provider.shutdown()
    assert (sender.taken, value("queue_full"), value("not_taken")) == (2 + MOST, 40 - MOST, 0)
    assert [line["event"] for line in lines] == ["traces.dropped"], "the first is said, and the rest within a minute"


def test_what_nobody_samples_is_not_lost() -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF)
    provider.add_span_processor(SpanQueue(Sender(), Losses()))
    for _ in range(2 * MOST):
        provider.get_tracer("test").start_span("unseen").end()
    provider.shutdown()
    assert value("queue_full") == 0


def test_what_a_collector_refuses_is_counted_and_said_once_a_minute_with_all_since() -> None:
    sender, clock = Sender(SpanExportResult.FAILURE), Clock()
    sender.may.set()
    sending = Sending(sender, Losses(clock), lambda spans: None)
    span = TracerProvider().get_tracer("test").start_span("part")
    assert isinstance(span, ReadableSpan)
    with capture_logs() as lines:
        for second in range(0, 121, 10):
            clock.now = second
            sending.export([span, span])
    assert value("not_taken") == 26
    assert [(line["event"], line["spans"]) for line in lines] == [("traces.dropped", said) for said in (2, 12, 12)]


class Flickering(SpanExporter):
    """Takes every other batch, and stumbles over the rest."""

    calls = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.calls += 1
        if self.calls % 2:
            raise OSError("/a/secret/place")
        return SpanExportResult.SUCCESS


def test_a_collector_that_comes_and_goes_is_told_of_once() -> None:
    sending = Sending(Flickering(), Losses(), lambda spans: None)
    with capture_logs() as lines:
        for _ in range(10):
            sending.export([])
    assert [line["event"] for line in lines] == ["traces.dropped", "traces.back"]
    assert "secret" not in str(lines)


def test_what_still_waits_when_the_process_ends_is_lost() -> None:
    sender = Sender()
    queue = SpanQueue(sender, Losses())
    provider = TracerProvider()
    provider.add_span_processor(queue)
    for _ in range(5):
        provider.get_tracer("test").start_span("last").end()
    assert sender.begun.wait(10)
    with capture_logs() as lines:
        queue.give_up()
    assert value("not_taken") == 3, "two are on their way, and may come"
    assert [(line["spans"], line["reason"]) for line in lines] == [(3, "the process ends")]
    sender.may.set()
    provider.shutdown()
