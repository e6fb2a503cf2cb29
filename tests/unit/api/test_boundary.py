import json
from io import StringIO

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from api.boundary import Boundary
from api.dialects.shapes import Shapes
from darkroom.log import configure_logging
from darkroom.services import Services
from tests.gateway import GENERATIONS, ask

CANARY = "a canary that must not sing"


@pytest.fixture
def lines() -> StringIO:
    stream = StringIO()
    configure_logging(service="gateway", stream=stream)
    return stream


def logged(lines: StringIO, event: str) -> list[dict[str, object]]:
    entries = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [entry for entry in entries if entry["event"] == event]


async def test_an_accident_says_nothing_to_the_caller_and_where_it_was_to_us(
    services: Services, client: httpx.AsyncClient, lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(services.ledger, "submit", stumble)
    answer = await client.post(GENERATIONS, json={"prompt": CANARY})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["code"] == "internal_error"
    assert CANARY not in answer.text
    assert "RuntimeError" not in answer.text
    (accident,) = logged(lines, "request.broke")
    assert accident["request"] == found["incident"] == answer.headers["X-Request-Id"]
    assert accident["error"] == "RuntimeError"
    assert str(accident["where"]).count("api.submission:") == 2
    assert CANARY not in lines.getvalue()


async def test_an_accident_in_mid_answer_cuts_it_short_and_says_no_more(services: Services, lines: StringIO) -> None:
    sent: list[Message] = []

    async def stumble(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError(CANARY)

    async def receive() -> Message:
        raise AssertionError("nobody reads")

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await Boundary(stumble, services.metrics, Shapes({}))(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert len(logged(lines, "request.broke")) == 1
    assert CANARY not in lines.getvalue()


async def test_a_long_answer_is_measured_to_its_head_and_logged_to_its_end(
    services: Services, lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("api.boundary.time.perf_counter", lambda: now)

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal now
        now += 0.25
        await send({"type": "http.response.start", "status": 200, "headers": []})
        now += 600
        await send({"type": "http.response.body", "body": b""})

    async def ignore(*_: object) -> Message:
        return {}

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await Boundary(stream, services.metrics, Shapes({}))(scope, ignore, ignore)
    labels = {"route": "unmatched", "method": "GET"}
    measured = services.metrics.registry.get_sample_value("darkroom_http_request_duration_seconds_sum", labels)
    assert measured == 0.25
    (line,) = logged(lines, "request.answered")
    assert line["milliseconds"] == 600_250.0


async def test_each_request_is_one_line_without_anything_private(client: httpx.AsyncClient, lines: StringIO) -> None:
    job = await ask(client, prompt=CANARY)
    await client.get(f"{job['links']['self']}?token={CANARY}")
    await client.get(f"/{CANARY}")
    first, second, third = logged(lines, "request.answered")
    assert (first["method"], first["route"], first["status"], first["tenant"]) == ("POST", GENERATIONS, 202, "local")
    assert second["route"] == f"{GENERATIONS}/{{job_id}}"
    assert third["route"] is None
    assert CANARY not in lines.getvalue()
    assert job["id"] not in lines.getvalue()


async def test_every_answer_carries_the_same_walls(services: Services, client: httpx.AsyncClient) -> None:
    for path in ("/livez", "/nowhere", GENERATIONS, f"{GENERATIONS}/x", "/docs/errors", "/openapi.json"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert len(headers["X-Request-Id"]) == 26
        assert "server" not in headers


async def test_every_method_of_a_path_is_named_when_another_is_used(client: httpx.AsyncClient) -> None:
    answer = await client.put(GENERATIONS)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    other = await client.post(f"{GENERATIONS}/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (other.status_code, other.headers["Allow"]) == (405, "DELETE, GET, HEAD")
