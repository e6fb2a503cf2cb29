"""The gateway as the command line sees it: what it makes of answers, streams and silence."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest

from darkroom.cli import following
from darkroom.cli.app import run
from darkroom.cli.client import Client, Event, media_type_of, parse_events
from darkroom.cli.console import CommandFailed
from darkroom.cli.following import follow
from darkroom.cli.generate import save
from darkroom.errors import UnavailableError


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(following, "FIRST_LOOK_SECONDS", 0.0)


Handler = Callable[[httpx.Request], httpx.Response]


def client_of(handler: Handler, api_key: str | None = None) -> Client:
    return Client("http://gateway", api_key, httpx.MockTransport(handler))


def wire(*events: tuple[str, str, dict[str, Any]]) -> str:
    lines = [f"id: {id}\nevent: {name}\ndata: {json.dumps({'data': data})}\n\n" for id, name, data in events]
    return "retry: 2000\n\n" + "".join(lines)


def test_events_are_read_between_comments_and_retry_lines() -> None:
    lines = f": ping\n\n{wire(('1-0', 'running', {}), ('2-0', 'progress', {'step': 3}))}".splitlines()
    assert list(parse_events(iter(lines))) == [Event("1-0", "running", {}), Event("2-0", "progress", {"step": 3})]


def test_an_event_cut_in_the_middle_is_not_told() -> None:
    assert list(parse_events(iter(wire(("1-0", "running", {})).splitlines()[:-1]))) == []


def test_a_problem_becomes_its_detail_and_code() -> None:
    problem = {"detail": "no scheduler named 'x'", "code": "unknown_scheduler", "status": 422}
    with (
        client_of(lambda _: httpx.Response(422, json=problem)) as client,
        pytest.raises(CommandFailed, match=r"^no scheduler named 'x' \(unknown_scheduler\)$"),
    ):
        client.submit({"prompt": "x"})


def test_an_answer_of_something_else_is_named_by_its_status() -> None:
    with (
        client_of(lambda _: httpx.Response(502, text="<html>")) as client,
        pytest.raises(CommandFailed, match=r"HTTP 502 from http://gateway/api/v1/generations"),
    ):
        client.submit({"prompt": "x"})


def test_silence_asks_whether_the_service_runs() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with client_of(nobody) as client, pytest.raises(UnavailableError, match="is `darkroom up` running"):
        client.submit({"prompt": "x"})


def test_the_key_is_sent_as_bearer() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    with client_of(answer, "dk_secret") as client:
        client.generation("1")
    assert seen[0].headers["authorization"] == "Bearer dk_secret"


class Gateway:
    """Answers for one generation whose event stream ends early, then fails, then goes on."""

    def __init__(self, ends: dict[str, Any]) -> None:
        self.ends = ends
        self.resumed_after: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            self.resumed_after.append(request.headers.get("last-event-id"))
            if len(self.resumed_after) == 2:
                raise httpx.RemoteProtocolError("the gateway was restarted", request=request)
            first = len(self.resumed_after) == 1
            told = ("1-0", "progress", {"step": 1, "steps": 2}) if first else ("2-0", self.ends["state"], {})
            return httpx.Response(200, text=wire(told))
        running = {"state": "running"}
        return httpx.Response(200, json=running if len(self.resumed_after) == 1 else self.ends)


def test_following_goes_on_after_a_cut_stream_where_it_was() -> None:
    gateway, told = Gateway({"state": "succeeded"}), []
    with client_of(gateway) as client:
        follow(client, {"id": "1", "state": "running"}, nullcontext(told.append))
    assert gateway.resumed_after == [None, "1-0", "1-0"]
    assert [event.name for event in told] == ["progress", "succeeded"]


def test_following_ends_with_the_words_of_the_failure() -> None:
    gateway = Gateway({"state": "failed", "failure": {"message": "the watermark did not read back"}})
    with (
        client_of(gateway) as client,
        pytest.raises(CommandFailed, match=r"^the generation failed: the watermark did not read back$"),
    ):
        follow(client, {"id": "1", "state": "running"}, nullcontext(lambda _: None))


def test_a_gateway_that_stays_away_is_given_up() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with client_of(away) as client, pytest.raises(UnavailableError):
        follow(client, {"id": "1"}, nullcontext(lambda _: None))


def test_several_pictures_are_numbered(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.url.path[-1].encode())

    with client_of(answer) as client:
        paths = list(save(client, "1", tmp_path / "cat.png", 2))
    assert [(path.name, path.read_bytes()) for path in paths] == [("cat-0.png", b"0"), ("cat-1.png", b"1")]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_pictures_are_announced_by_their_first_bytes(data: bytes, kind: str) -> None:
    assert media_type_of(data) == kind


def test_pictures_are_uploaded_first_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, bytes]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append((request.url.path, request.content))
        if request.url.path == "/api/v1/assets":
            return httpx.Response(201, json={"id": request.content[-1:].decode() * 64})
        return httpx.Response(422, json={"detail": "enough", "code": "invalid_field"})

    monkeypatch.setattr("darkroom.cli.client.Client", lambda url, key: client_of(handler))
    (tmp_path / "i.png").write_bytes(b"\x89PNG a")
    (tmp_path / "m.png").write_bytes(b"\x89PNG b")
    arguments = ["generate", "x", "--image", str(tmp_path / "i.png"), "--mask", str(tmp_path / "m.png")]

    assert run([*arguments, "--strength", "0.5", "--expand", "0,8,16,0"]) == 1

    assert [path for path, _ in sent] == ["/api/v1/assets", "/api/v1/assets", "/api/v1/generations"]
    asked = json.loads(sent[-1][1])
    assert (asked["image"], asked["mask"], asked["strength"]) == ("a" * 64, "b" * 64, 0.5)
    assert asked["expand"] == {"left": 0, "top": 8, "right": 16, "bottom": 0}


def test_stages_layers_left_out_and_labels_are_asked_for_by_their_options(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, object]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(422, json={"detail": "enough", "code": "invalid_field"})

    monkeypatch.setattr("darkroom.cli.client.Client", lambda url, key: client_of(handler))

    assert run(["generate", "x", "--hires", "1.5", "--clip-skip", "0", "--refiner", "polish", "--label", "AI"]) == 1
    assert run(["generate", "x"]) == 1

    assert (sent[0]["hires"], sent[0]["clip_skip"]) == ({"scale": 1.5}, 0)
    assert sent[0]["refiner"] == {"model": "polish"}
    assert sent[0]["visible_label"] == "AI"
    assert not {"hires", "clip_skip", "refiner", "visible_label"} & set(sent[1])


@pytest.mark.parametrize("expand", ["8", "1,2,3", "1,2,3,4,5", "a,b,c,d", "-8,0,0,0", ""])
def test_an_expansion_that_is_not_four_numbers_is_wrong_usage(expand: str) -> None:
    assert run(["generate", "x", f"--expand={expand}"]) == 2
