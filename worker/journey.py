"""One attempt at a job, as its trace tells it: what is done for it, on whatever thread, belongs to the request's."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, Status, StatusCode

from darkroom import tracing
from darkroom.contract.job import JobState
from darkroom.ledger.protocol import Claim, Outcome
from darkroom.log import get_logger
from darkroom.metrics import Metrics
from worker.engine.meter import Idle, Part
from worker.engine.request import Work

log = get_logger(__name__)


@contextmanager
def under_way(claim: Claim) -> Iterator[None]:
    """Tasks begun inside, and lines logged by them, belong to the job's trace. Whoever holds the job ends its span."""
    with tracing.resumed(claim.trace):
        if claim.attempt == 1:
            tracing.past("wait", claim.waited, {"darkroom.model": claim.plan.model})
        said: tracing.Said = {
            "darkroom.job": claim.job_id,
            "darkroom.tenant": claim.tenant,
            "darkroom.model": claim.plan.model,
            "darkroom.task": claim.plan.task,
            "darkroom.attempt": claim.attempt,
        }
        with tracing.within(tracing.child("job", said, tracing.SpanKind.CONSUMER)):
            yield


def note_drop(claim: Claim, span: Span, reason: str) -> None:
    """Say in log and trace why an attempt ends without a last word. For tasks that belong to no trace."""
    span.set_attribute("darkroom.dropped", reason)
    with tracing.within(span):
        log.info("job.dropped", job_id=claim.job_id, attempt=claim.attempt, reason=reason)


def note_end(metrics: Metrics, claim: Claim, outcome: Outcome) -> None:
    """Say what became of the attempt, once the ledger has taken it: in log, metrics and trace."""
    state, code = outcome.state.value, outcome.failure.code if outcome.failure else ""
    log.info("job.ended", job_id=claim.job_id, attempt=claim.attempt, state=state, code=code or None)
    metrics.ended(model=claim.plan.model, state=state, code=code)
    span = tracing.current()
    span.set_attributes({"darkroom.state": state, "darkroom.device_seconds": outcome.device_seconds})
    if outcome.state is JobState.FAILED:
        span.set_attribute("error.type", code)
        span.set_status(Status(StatusCode.ERROR))


def note_use(metrics: Metrics, claim: Claim, state: str, seconds: float) -> None:
    """Count what an attempt has cost, also one that came to nothing."""
    metrics.used(tenant=claim.tenant, model=claim.plan.model, state=state, seconds=seconds)


class DeviceMeter:
    """What the engine spends its time on, for metrics and for the traces of its works."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def passed(self, model: str, rows: int, possible: int, seconds: float) -> None:
        self._metrics.passed(model, rows, possible, seconds)

    def idled(self, reason: Idle, seconds: float) -> None:
        self._metrics.idled(reason, seconds)

    def spent(self, work: Work, part: Part, seconds: float, index: int | None = None) -> None:
        said = {} if index is None else {"darkroom.image": index}
        work.context.copy().run(tracing.past, part, seconds, said)
