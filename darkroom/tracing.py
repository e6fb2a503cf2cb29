"""Where the time of one request goes, over all processes: spans of OpenTelemetry.

Nothing is recorded until `darkroom.services.traces` says where spans go. Until then what a caller sent is carried on,
so that log lines of all processes name the caller's own trace.

A span says what was done, for how long, and whether it failed: names, numbers and ids, never the text of an error,
which may quote a request.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, NoOpTracer, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

__all__ = [
    "Loss",
    "Said",
    "SpanKind",
    "carried",
    "child",
    "current",
    "lose",
    "lost",
    "past",
    "record_with",
    "resumed",
    "root",
    "span",
    "within",
]

Said = Mapping[str, str | int | float]
# Why a span that was recorded came to no collector: more waited than may, or it was not taken.
Loss = Literal["queue_full", "not_taken"]
NOTHING: Said = MappingProxyType({})

_HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


class _Recording:
    """A process's own tracer. Not OpenTelemetry's global one: whatever else is instrumented by that tells of paths,
    queries and messages."""

    tracer: Tracer = NoOpTracer()
    lost: ClassVar[Counter[Loss]] = Counter()
    counting = Lock()


def record_with(tracer: Tracer) -> None:
    """Have this process's spans made by `tracer` from now on."""
    _Recording.tracer = tracer


def lose(loss: Loss, spans: int) -> None:
    """Count spans that come to no collector. For any thread."""
    with _Recording.counting:
        _Recording.lost[loss] += spans


def lost() -> Mapping[Loss, int]:
    """How many were, since this process began."""
    return {loss: _Recording.lost[loss] for loss in get_args(Loss)}


def current() -> Span:
    """The span that is open here; one that does nothing if there is none."""
    return trace.get_current_span()


def carried() -> str | None:
    """The open span, as the header `traceparent` of W3C has it; None where nothing is traced."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(_HEADER)


@contextmanager
def resumed(traceparent: str | None) -> Iterator[None]:
    """What is opened inside belongs to that trace, as if by the span that it names. What is no trace begins none."""
    found = _PROPAGATOR.extract({_HEADER: traceparent} if traceparent else {}, contexts.Context())
    token = contexts.attach(found)
    try:
        yield
    finally:
        contexts.detach(token)


def within(opened: Span) -> AbstractContextManager[Span]:
    """What is done inside is a part of `opened`, which somebody else ends; of exceptions it hears nothing."""
    return trace.use_span(opened, end_on_exit=False, record_exception=False, set_status_on_exception=False)


@contextmanager
def root(name: str, traceparent: str | None, kind: SpanKind) -> Iterator[Span]:
    """A span that may be the first of its trace, or goes on with its caller's."""
    with resumed(traceparent), _entered(_Recording.tracer.start_span(name, kind=kind)) as opened:
        yield opened


@contextmanager
def span(name: str, said: Said = NOTHING, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
    """A part of what is traced here, if anything is. For any thread or task that has the context of its parent."""
    with _entered(child(name, said, kind)) as opened:
        yield opened


def child(name: str, said: Said = NOTHING, kind: SpanKind = SpanKind.INTERNAL) -> Span:
    """The same, to be ended by whoever asks."""
    if not current().get_span_context().is_valid:
        return INVALID_SPAN
    return _Recording.tracer.start_span(name, kind=kind, attributes=said)


def past(name: str, seconds: float, said: Said = NOTHING) -> None:
    """A part that has just ended, and took so long."""
    if current().get_span_context().is_valid:
        now = time.time_ns()
        began = now - int(seconds * 1e9)
        _Recording.tracer.start_span(name, attributes=said, start_time=began).end(now)


@contextmanager
def _entered(opened: Span) -> Iterator[Span]:
    """What leaves by an exception has failed; the exception is told by its kind."""
    if opened is INVALID_SPAN:
        yield opened
        return
    with trace.use_span(opened, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield opened
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(Status(StatusCode.ERROR))
            raise
