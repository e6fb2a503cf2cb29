"""A job's trace in its worker: one span an attempt, whatever becomes of it, and all that is done for it below."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from structlog.testing import capture_logs

from darkroom import tracing
from darkroom.contract.start import FromImage, PictureRef
from darkroom.errors import NanOutput
from darkroom.ledger.protocol import Claim
from darkroom.log import _traced
from darkroom.metrics import Metrics
from tests.integration.ledger.making import submission
from tests.unit.engine.works import make_work
from tests.unit.recording import named
from tests.unit.worker.shop import Shop
from tests.until import until
from worker.journey import DeviceMeter, under_way

TRACE = "0af7651916cd43dd8448eb211c80319c"
SENT = f"00-{TRACE}-b7ad6b7169203331-01"


async def test_each_attempt_is_a_span_that_ends_with_it(recorded: InMemorySpanExporter, shop: Shop) -> None:
    job_id = await shop.submit(trace=SENT)
    await until(lambda: job_id in shop.engine.works)
    (held,) = shop.hand
    await shop.hand.hand_back(held)
    await until(lambda: job_id in shop.engine.works)
    shop.engine.finish(job_id)
    await shop.ended(job_id)
    attempts = [dict(span.attributes or {}) for span in recorded.get_finished_spans() if span.name == "job"]
    told = [(each["darkroom.attempt"], each.get("darkroom.state")) for each in attempts]
    assert told == [(1, None), (2, "succeeded")]
    assert named(recorded, "wait").parent is not None, "and not once more for the second"
    assert {span.context.trace_id for span in recorded.get_finished_spans() if span.context} == {int(TRACE, 16)}


async def test_an_attempt_without_a_last_word_says_why_in_its_span_and_its_line(
    recorded: InMemorySpanExporter, shop: Shop
) -> None:
    job_id = await shop.submit(trace=SENT)
    await until(lambda: job_id in shop.engine.works)
    with capture_logs(processors=[_traced]) as lines:
        shop.hand.drop(job_id, "canceled")
    (line,) = [line for line in lines if line["event"] == "job.dropped"]
    assert line["trace_id"] == TRACE
    await until(lambda: not len(shop.hand))
    assert (named(recorded, "job").attributes or {})["darkroom.dropped"] == "canceled"


async def test_what_goes_wrong_with_a_claim_is_not_quoted_in_its_span(recorded: InMemorySpanExporter) -> None:
    plan = submission("ann", trace=SENT).plan
    claim = Claim(job_id="1", tenant="ann", attempt=1, plan=plan, lease_until=0.0, waited=0.0, trace=SENT)
    spans = []

    def stumble() -> None:
        with under_way(claim):
            spans.append(tracing.current())
            raise RuntimeError("a canary")

    with pytest.raises(RuntimeError):
        stumble()
    spans[0].end()
    told = named(recorded, "job")
    assert told.events == ()
    assert "canary" not in told.to_json()


async def test_what_is_done_for_a_job_lies_below_its_span(recorded: InMemorySpanExporter, shop: Shop) -> None:
    job_id = await shop.submit(trace=SENT)
    await until(lambda: job_id in shop.engine.works)
    DeviceMeter(Metrics()).spent(shop.engine.works[job_id], "denoise", 2.0, 0)
    shop.engine.finish(job_id)
    await shop.ended(job_id)
    job, denoise = named(recorded, "job"), named(recorded, "denoise")
    assert job.context is not None
    for span in (denoise, named(recorded, "finish")):
        assert span.parent is not None
        assert span.parent.span_id == job.context.span_id
    assert denoise.start_time is not None
    assert denoise.end_time is not None
    assert denoise.end_time - denoise.start_time == 2_000_000_000
    assert dict(denoise.attributes or {}) == {"darkroom.image": 0}


async def test_a_failure_is_told_by_its_code(recorded: InMemorySpanExporter, shop: Shop) -> None:
    job_id = await shop.submit(trace=SENT)
    await until(lambda: job_id in shop.engine.works)
    shop.engine.fail(job_id, NanOutput("a canary"))
    await shop.ended(job_id)
    span = named(recorded, "job")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "nan_output"
    assert "canary" not in span.to_json()


async def test_reading_the_pictures_of_a_job_is_a_part_of_it(recorded: InMemorySpanExporter, shop: Shop) -> None:
    gone = PictureRef(sha256="ab" * 32, width=64, height=64)
    start = FromImage(image=gone, strength=0.5, steps=10)
    job_id = await shop.submit(trace=SENT, task="image_to_image", start=start)
    await shop.ended(job_id)
    assert named(recorded, "prepare").status.status_code is StatusCode.ERROR
    assert (named(recorded, "job").attributes or {})["error.type"] == "lost_input"


async def test_a_job_that_nobody_traces_is_no_trace(recorded: InMemorySpanExporter, shop: Shop) -> None:
    job_id = await shop.generating()
    shop.engine.finish(job_id)
    await shop.ended(job_id)
    assert recorded.get_finished_spans() == ()


async def test_two_jobs_at_once_keep_their_traces_apart(recorded: InMemorySpanExporter, shop: Shop) -> None:
    other = SENT.replace(TRACE, "f" * 32)
    ids = [await shop.submit(trace=trace) for trace in (SENT, other)]
    await until(lambda: len(shop.engine.works) == 2)
    for job_id in reversed(ids):
        shop.engine.finish(job_id)
    for job_id in ids:
        await shop.ended(job_id)
    spans = [span for span in recorded.get_finished_spans() if span.name == "job"]
    found = {(span.attributes or {})["darkroom.job"]: span.context.trace_id for span in spans if span.context}
    assert found == {ids[0]: int(TRACE, 16), ids[1]: int("f" * 32, 16)}


def test_a_work_made_outside_of_any_trace_belongs_to_none(recorded: InMemorySpanExporter) -> None:
    DeviceMeter(Metrics()).spent(make_work(), "decode", 1.0, 0)
    assert recorded.get_finished_spans() == ()
