"""Spans on their way to a collector: none is lost that is not counted, and the log says so now and then.

Needs OpenTelemetry's SDK, which not every installation has.
"""

import os
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from darkroom import tracing
from darkroom.log import get_logger

MOST_WAITING: Final = 2048  # unless OTEL_BSP_MAX_QUEUE_SIZE says otherwise; as the SDK has it
SAID_AGAIN_SECONDS: Final = 60.0

log = get_logger(__name__)


class Losses:
    """Counts what is lost, and says so once in a while. For any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._unsaid = 0
        self._said_at = float("-inf")

    def note(self, loss: tracing.Loss, spans: int, reason: str) -> bool:
        """Whether that was said, with all that was lost since it was said last."""
        tracing.lose(loss, spans)
        with self._lock:
            self._unsaid += spans
            if self._clock() - self._said_at < SAID_AGAIN_SECONDS:
                return False
            said, self._unsaid, self._said_at = self._unsaid, 0, self._clock()
        log.warning("traces.dropped", spans=said, reason=reason)
        return True


class SpanQueue(SpanProcessor):
    """Batches for `sender`, with a bound of its own: the SDK's queue drops its oldest without a word that is ours."""

    def __init__(self, sender: SpanExporter, losses: Losses) -> None:
        """Raises: ValueError for variables that the SDK cannot work with."""
        self._most = _most_waiting()
        self._losses = losses
        self._lock = Lock()
        self._waiting = 0
        self._batches = BatchSpanProcessor(Sending(sender, losses, self._leave), max_queue_size=self._most)

    def on_end(self, span: ReadableSpan) -> None:
        if not (span.context and span.context.trace_flags.sampled):
            return
        if self._enter():
            self._batches.on_end(span)
        else:
            self._losses.note("queue_full", 1, "more wait than may")

    def _enter(self) -> bool:
        with self._lock:
            if self._waiting >= self._most:
                return False
            self._waiting += 1
            return True

    def _leave(self, spans: int) -> None:
        with self._lock:
            self._waiting -= spans

    def shutdown(self) -> None:
        """Send what waits."""
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def give_up(self) -> None:
        """Count what waits as lost: the process ends."""
        if self._waiting:
            self._losses.note("not_taken", self._waiting, "the process ends")

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        return self._batches.force_flush(timeout_millis)


class Sending(SpanExporter):
    """Sends as `sender`, and tells what it could not. `leave` hears of each batch how many it is."""

    def __init__(self, sender: SpanExporter, losses: Losses, leave: Callable[[int], None]) -> None:
        self._sender = sender
        self._losses = losses
        self._leave = leave
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """A collector that takes every other batch is not told of with each."""
        self._leave(len(spans))
        try:
            result, reason = self._sender.export(spans), "the collector does not take them"
        except Exception as error:  # noqa: BLE001  as a file of certificates that is not there
            result, reason = SpanExportResult.FAILURE, f"they cannot be sent: {type(error).__name__}"
        if result is not SpanExportResult.SUCCESS:
            self._away |= self._losses.note("not_taken", len(spans), reason)
        elif self._away:
            self._away = False
            log.info("traces.back")
        return result

    def shutdown(self) -> None:
        self._sender.shutdown()


def _most_waiting() -> int:
    told = os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE, "").strip()
    try:
        return int(told) if told else MOST_WAITING
    except ValueError:
        raise ValueError(f"{OTEL_BSP_MAX_QUEUE_SIZE} is no number") from None
