"""Spans: whose they are, what they say, and that they cost nothing where nobody asks for them."""

import asyncio

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import INVALID_SPAN, NoOpTracer, SpanKind, StatusCode

from api.app import create_app
from darkroom import tracing
from darkroom.errors import ConfigurationError, StoreUnavailable
from darkroom.services.traces import traces
from darkroom.settings import Settings
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, ask, client_of
from tests.unit.recording import named

TRACE = "0af7651916cd43dd8448eb211c80319c"
SENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_nothing_is_recorded_until_somebody_says_where_to() -> None:
    assert isinstance(tracing._Recording.tracer, NoOpTracer)
    with tracing.root("GET", None, SpanKind.SERVER), tracing.span("part") as opened:
        assert opened is INVALID_SPAN
        assert tracing.carried() is None


def test_a_callers_trace_is_carried_on_also_where_nothing_is_recorded() -> None:
    with tracing.root("GET", SENT, SpanKind.SERVER):
        assert tracing.carried() == SENT
    assert tracing.carried() is None


@pytest.mark.parametrize("sent", ["", "00-0-0-0", f"00-{'0' * 32}-b7ad6b7169203331-01", "\x00" * 55, f"ff-{SENT[3:]}"])
def test_what_is_no_traceparent_begins_a_trace_of_its_own(recorded: InMemorySpanExporter, sent: str) -> None:
    with tracing.root("GET", sent, SpanKind.SERVER):
        carried = tracing.carried()
    assert carried is not None
    assert TRACE not in carried
    assert named(recorded, "GET").parent is None


def test_parts_without_a_whole_are_not_recorded(recorded: InMemorySpanExporter) -> None:
    with tracing.span("store.get"):
        tracing.past("wait", 1.0)
    assert recorded.get_finished_spans() == ()


def test_a_failure_is_told_by_its_kind_and_not_by_its_words(recorded: InMemorySpanExporter) -> None:
    with (
        pytest.raises(StoreUnavailable),
        tracing.root("GET", SENT, SpanKind.SERVER),
        tracing.span("store.put", {"darkroom.image": 1}),
    ):
        raise StoreUnavailable("a secret")
    span = named(recorded, "store.put")
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes or {}) == {"darkroom.image": 1, "error.type": "StoreUnavailable"}
    assert "a secret" not in span.to_json()
    assert span.events == ()


async def test_a_part_done_on_a_thread_belongs_to_its_request(recorded: InMemorySpanExporter) -> None:
    def work() -> None:
        with tracing.span("sign"):
            pass

    with tracing.root("GET", SENT, SpanKind.SERVER):
        await asyncio.to_thread(work)
    parent, outer = named(recorded, "sign").parent, named(recorded, "GET").context
    assert parent is not None
    assert outer is not None
    assert parent.span_id == outer.span_id


async def test_a_job_takes_the_trace_of_its_request_along(recorded: InMemorySpanExporter) -> None:
    services = fake_services()
    async with client_of(services) as client:
        client.headers["traceparent"] = SENT
        await ask(client)
        (claim,) = await services.ledger.claim("w", [services.catalog.default], 1)
    request = named(recorded, f"POST {GENERATIONS}")
    assert request.parent is not None
    assert request.context is not None
    assert claim.trace == f"00-{TRACE}-{request.context.span_id:016x}-01"
    assert TRACE not in claim.plan.model_dump_json()


async def test_a_request_is_told_by_its_route_and_never_by_its_path(recorded: InMemorySpanExporter) -> None:
    async with client_of(fake_services()) as client:
        await client.get(f"{GENERATIONS}/a-secret?key=another-secret")
        await client.request("BREW", "/a-secret")
        await client.get("/livez")
    spans = recorded.get_finished_spans()
    assert [span.name for span in spans] == [f"GET {GENERATIONS}/{{job_id}}", "_OTHER"]
    assert not [span for span in spans if "a-secret" in span.to_json() or "BREW" in span.to_json()]


async def test_two_traceparents_are_none(recorded: InMemorySpanExporter) -> None:
    async with client_of(fake_services()) as client:
        await client.get(GENERATIONS, headers=[("traceparent", SENT), ("traceparent", SENT)])
    assert named(recorded, f"GET {GENERATIONS}").parent is None


def test_no_other_instruments_of_the_framework_look_at_requests() -> None:
    app = create_app(fake_services())
    assert not app._native_telemetry.enabled()
    assert (app._telemetry["tracing"], app._telemetry["logs"]) == (False, False)


def test_an_endpoint_without_the_sdk_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    settings = Settings(otlp_endpoint="http://127.0.0.1:4318")
    with pytest.raises(ConfigurationError, match=r"darkroom\[traces\]"), traces(settings, "gateway"):
        raise AssertionError("begun")


def test_variables_that_the_sdk_cannot_start_with_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9999")
    settings = Settings(otlp_endpoint="http://127.0.0.1:4318")
    with pytest.raises(ConfigurationError, match=r"OTEL_.*max_queue_size"), traces(settings, "gateway"):
        raise AssertionError("begun")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "many")
    with pytest.raises(ConfigurationError, match="OTEL_BSP_MAX_QUEUE_SIZE is no number"), traces(settings, "gateway"):
        raise AssertionError("begun")


def test_nothing_of_the_sdk_is_touched_unless_an_endpoint_is_set() -> None:
    with traces(Settings(), "gateway"):
        assert isinstance(tracing._Recording.tracer, NoOpTracer)
