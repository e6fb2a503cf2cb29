"""What whoever waits for a picture sees, and what Ctrl-C does."""

import io
import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from darkroom.cli import following
from darkroom.cli.app import run
from darkroom.cli.following import follow
from darkroom.cli.progress import News, progress_of
from darkroom.client import Client
from darkroom.contract.document import Generation
from tests.unit.cli.talking import answered_by
from tests.unit.client.playing import ID, document


def place(position: int | None) -> dict[str, Any]:
    return {"position": position, "ahead_seconds": 1.0, "workers": 1}


JOB = document(queue=place(3))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_LOOK_SECONDS", 0.0)


class Gateway:
    """Answers each look at the generation with the next of these, then with its success; counts what is asked."""

    def __init__(self, *looks: Any, unserved: tuple[str, ...] = ()) -> None:
        self.looks = list(looks)
        self.unserved = list(unserved)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        if request.url.path == "/readyz":
            return httpx.Response(200, json={"ready": True, "warnings": [], "unserved": self.unserved})
        if request.url.path.endswith("/events"):
            event = {"id": "1-0", "job_id": ID, "name": "succeeded", "at": 1.0, "data": {}}
            return httpx.Response(200, text=f"id: 1-0\nevent: succeeded\ndata: {json.dumps(event)}\n\n")
        look = self.looks.pop(0) if self.looks else {"state": "succeeded"}
        if isinstance(look, BaseException):
            raise look
        return httpx.Response(200, json={**JOB, **look})


def client_of(gateway: Gateway) -> Client:
    return Client("http://gateway", retries=0, transport=httpx.MockTransport(gateway))


def told_by(gateway: Gateway) -> list[tuple[str, Any]]:
    told: list[News] = []
    with client_of(gateway) as client:
        follow(client, Generation.model_validate(JOB), nullcontext(told.append))
    return [(event.name, event.data) for event in told]


def test_the_place_in_line_moves() -> None:
    gateway = Gateway({"queue": place(2)}, {"queue": place(0)}, {"state": "running"})
    assert told_by(gateway) == [
        ("queued", {"position": 3}),
        ("queued", {"position": 2}),
        ("queued", {"position": 0}),
        ("succeeded", {}),
    ]


def test_when_it_should_be_ready_is_told_by_the_gateways_clock() -> None:
    made = {"created_at": "2001-01-01T00:00:00Z"}
    gateway = Gateway({**made, "eta": "2001-01-01T00:00:50Z"}, {**made, "eta": None}, {"state": "running"})
    told: list[News] = []
    with client_of(gateway) as client:
        asked = Generation.model_validate({**JOB, **made, "eta": "2001-01-01T00:01:00Z"})
        follow(client, asked, nullcontext(told.append))
    places = [event.data for event in told if event.name == "queued"]
    assert [place.get("seconds") for place in places] == [pytest.approx(60, abs=1), pytest.approx(50, abs=2), None]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"position": 0, "seconds": 12.1}, "in line, ready in about 13 s"),
        ({"position": 2, "seconds": 150.0}, "in line, 2 of yours before, ready in about 2 min"),
        ({"position": None}, "in line"),
    ],
)
def test_the_bar_says_when_it_should_be_ready(place: dict[str, Any], words: str) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    with progress_of(Generation.model_validate(JOB), screen) as update:
        update(News("queued", place))
    assert words in screen.file.getvalue()  # type: ignore[attr-defined]


def test_a_gateway_that_is_away_for_a_moment_does_not_end_the_wait() -> None:
    gateway = Gateway({"queue": place(2)}, httpx.ConnectError("restarting"), {"queue": place(1)}, {"state": "running"})
    assert [data.get("position") for name, data in told_by(gateway) if name == "queued"] == [3, 2, 2, 1]


def test_waiting_for_a_model_that_nobody_serves_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "HINT_SECONDS", 0.0)
    gateway = Gateway({}, {}, {}, {"state": "running"}, unserved=("other", "tiny"))
    assert told_by(gateway).count(("unserved", {"model": "tiny"})) == 1


def test_waiting_for_a_model_that_is_served_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "HINT_SECONDS", 0.0)
    gateway = Gateway({}, {}, {"state": "running"}, unserved=("other",))
    assert "unserved" not in [name for name, _ in told_by(gateway)]


def test_the_bar_shows_the_place_and_the_hint() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    with progress_of(Generation.model_validate(JOB), screen) as update:
        told = {"position": 2, "ahead_seconds": 1.5}  # as the gateway's own event has it, which we did not make
        for news in (News("queued", told), News("unserved", {"model": "tiny"})):
            update(news)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "in line, 3 of yours before" in shown or "in line, 2 of yours before" in shown
    assert "no worker serves tiny now" in shown


@pytest.mark.parametrize(
    ("answer", "words"),
    [({"state": "canceled"}, f"canceled {ID}"), ({"state": "succeeded"}, f"{ID} had succeeded already")],
)
def test_ctrl_c_cancels_the_generation_and_says_so(
    answer: dict[str, Any],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway = Gateway({}, KeyboardInterrupt(), answer)
    assert interrupted(gateway, tmp_path, monkeypatch) == 130
    assert ("DELETE", f"/api/v1/generations/{ID}") in gateway.asked
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_that_cannot_cancel_says_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = Gateway({}, KeyboardInterrupt(), httpx.ConnectError("gone"))
    assert interrupted(gateway, tmp_path, monkeypatch) == 130
    assert f"{ID} goes on, it could not be canceled" in capsys.readouterr().err


def interrupted(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    answered_by(gateway, monkeypatch)
    return run(["generate", "a red circle", "-o", str(tmp_path / "a.png")])


@pytest.mark.parametrize("output", ["nowhere/a.png", "folder.png", "locked/a.png"])
def test_a_place_that_takes_no_file_is_refused_before_anything_is_asked(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "locked").mkdir()
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: "locked" not in str(path) and real(path, mode))
    gateway = Gateway()
    answered_by(gateway, monkeypatch)
    assert run(["generate", "a red circle", "-o", str(tmp_path / output)]) == 1
    assert gateway.asked == []
    assert str(tmp_path) in capsys.readouterr().err
