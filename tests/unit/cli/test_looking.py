"""Commands that look at what a gateway has, or change it in a word: what they ask, and what they print."""

import json
import time
from typing import Any

import httpx
import pytest

from darkroom.cli import jobs
from darkroom.cli.app import run
from tests.unit.cli.talking import answered_by
from tests.unit.client.playing import ID, document, problem

Capture = pytest.CaptureFixture[str]
MODEL = {
    "name": "tiny",
    "title": "tiny",
    "family": "tiny",
    "native_width": 128,
    "native_height": 96,
    "min_size": 8,
    "max_size": 8,
    "size_multiple": 8,
    "default_steps": 20,
    "default_guidance_scale": 4.5,
    "max_clip_skip": 1,
    "default_scheduler": "ddim",
    "max_prompt_tokens": 77,
    "tasks": ["text_to_image"],
}
LORA = {"name": "neon", "sha256": "ab", "bytes": 2_100_000, "format": "kohya", "rank": 8, "layers": 2, "networks": []}
DELIVERY = {
    "id": "msg_1",
    "event": "generation.succeeded",
    "generation": ID,
    "url": "https://hooks.example/x",
    "state": "dead",
    "reason": "endpoint_gone",
    "attempts": 3,
    "created_at": "2026-01-01T00:00:00Z",
    "due_at": None,
    "ended_at": None,
}


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> "Gateway":
    found = Gateway()
    answered_by(found, monkeypatch)
    return found


class Gateway:
    """Answers by method and path; keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        found = self.answers.get(f"{request.method} {request.url.path.removeprefix('/api/v1')}")
        return httpx.Response(200, json=found) if found else httpx.Response(404, json=problem(404, "not_found"))


def test_models_are_listed_with_who_serves_them(gateway: Gateway, capsys: Capture) -> None:
    other = {**MODEL, "name": "other"}
    gateway.answers = {
        "GET /models": {"models": [MODEL, other], "default": "tiny"},
        "GET /readyz": {"ready": True, "unserved": ["other"]},
    }
    assert run(["models"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "tiny\ttiny\t128x96\t20\t4.5\tddim\tdefault",
        "other\ttiny\t128x96\t20\t4.5\tddim\tno worker serves it",
    ]
    assert run(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["default"] == "tiny"


def test_broken_loras_are_told_apart_from_those_that_can_be_had(gateway: Gateway, capsys: Capture) -> None:
    broken = {"name": "bad", "code": "broken_weights", "reason": "it is empty"}
    gateway.answers = {"GET /loras": {"loras": [{**LORA, "models": ["tiny"]}], "unavailable": [broken]}}
    assert run(["loras"]) == 0
    told = capsys.readouterr()
    assert told.out == "neon\t8\t2.1 MB\tkohya\ttiny\n"
    assert told.err == "darkroom: bad cannot be had: it is empty (broken_weights)\n"


def test_jobs_are_shown_once_in_a_pipe(gateway: Gateway, capsys: Capture) -> None:
    waits = document(queue={"position": 2, "ahead_seconds": 1.0, "workers": 0})
    runs = document("running", progress={"step": 6, "steps": 40})
    page = {"generations": [waits, runs, document("failed"), document("succeeded")], "cursor": None}
    gateway.answers = {"GET /generations": page}
    assert run(["jobs", "-n", "3"]) == 0
    states = [line.split("\t")[:2] for line in capsys.readouterr().out.splitlines()]
    assert states == [[ID, "queued, 2 before, no worker"], [ID, "running, 6/40"], [ID, "failed, nan_output"]]
    assert run(["jobs", "--json"]) == 0
    assert [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()][-1] == "succeeded"


def test_watching_goes_on_while_a_gateway_is_away_and_ends_by_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    looks: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        """There at the first look, away at those after it."""
        if looks:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={"generations": [document()], "cursor": None})

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    answered_by(answer, monkeypatch)
    monkeypatch.setattr(time, "sleep", sleep)
    assert run(["jobs"]) == 0
    told = capsys.readouterr().out
    assert ID in told
    assert "as it was: nothing answers at" in told
    assert set(looks) == {jobs.LOOK_SECONDS}


def test_canceling_says_what_became_of_each(gateway: Gateway, capsys: Capture) -> None:
    gateway.answers = {
        f"DELETE /generations/{ID}": document("canceled"),
        "DELETE /generations/B": document("succeeded"),
    }
    assert run(["jobs", "cancel", ID]) == 0
    assert run(["jobs", "cancel", ID, "nope", "B"]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [f"{ID} canceled", f"{ID} canceled", "B succeeded"]
    assert told.err == "darkroom: nope: because of not_found\n"


def test_deliveries_are_listed_by_state_and_generation(gateway: Gateway, capsys: Capture) -> None:
    gateway.answers = {"GET /webhooks/deliveries": {"deliveries": [DELIVERY], "cursor": None}}
    assert run(["webhooks", "list", "--dead", "--pending", "--generation", ID]) == 0
    assert capsys.readouterr().out == "msg_1\tsucceeded\tdead, endpoint_gone, 3 tries\thttps://hooks.example/x\n"
    assert gateway.asked[0].url.params.multi_items() == [
        ("limit", "100"),
        ("state", "dead"),
        ("state", "pending"),
        ("generation", ID),
    ]


def test_a_delivery_is_shown_with_its_attempts(gateway: Gateway, capsys: Capture) -> None:
    log = [
        {"number": 1, "at": "2026-01-01T00:00:01Z", "status": None, "fault": "timeout", "milliseconds": 15000},
        {"number": 2, "at": "2026-01-01T00:00:09Z", "status": 410, "fault": None, "milliseconds": 9},
    ]
    gateway.answers = {"GET /webhooks/deliveries/msg_1": {**DELIVERY, "log": log}}
    assert run(["webhooks", "show", "msg_1"]) == 0
    told = capsys.readouterr().out
    assert "state       dead, endpoint_gone\n" in told
    assert told.splitlines()[-2:] == [
        "1\t2026-01-01 00:00:01Z\ttimeout\t15000 ms",
        "2\t2026-01-01 00:00:09Z\t410\t9 ms",
    ]


def test_deliveries_are_replayed_one_by_one_or_all_of_a_time(gateway: Gateway, capsys: Capture) -> None:
    replayed = {**DELIVERY, "state": "pending", "reason": None, "log": []}
    gateway.answers = {
        "POST /webhooks/deliveries/msg_1/replay": replayed,
        "POST /webhooks/replay": {"replayed": 7, "cursor": None},
    }
    assert run(["webhooks", "replay", "msg_1", "msg_2"]) == 1
    assert run(["webhooks", "replay", "--dead", "--after", "2026-01-01"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == ["msg_1 pending", "7"]
    assert told.err == "darkroom: msg_2: because of not_found (not_found)\n"
    asked = json.loads(gateway.asked[-1].content)
    assert asked["states"] == ["dead"]
    assert asked["after"].startswith("2026-01-01T00:00:00")


@pytest.mark.parametrize("arguments", [[], ["msg_1", "--dead"]])
def test_what_to_replay_must_be_said_in_one_way(arguments: list[str], gateway: Gateway) -> None:
    assert run(["webhooks", "replay", *arguments]) == 2
    assert gateway.asked == []


def test_endpoints_are_listed_and_enabled(gateway: Gateway, capsys: Capture) -> None:
    disabled = {"disabled": [{"url": "https://a.example", "since": "2026-01-01T00:00:00Z"}]}
    gateway.answers = {"GET /webhooks/endpoints": disabled, "POST /webhooks/endpoints/enable": {"disabled": []}}
    assert run(["webhooks", "endpoints"]) == 0
    assert run(["webhooks", "enable", "https://a.example"]) == 0
    assert capsys.readouterr().out == "2026-01-01 00:00:00Z\thttps://a.example\nhttps://a.example enabled\n"
    assert json.loads(gateway.asked[-1].content) == {"url": "https://a.example"}
