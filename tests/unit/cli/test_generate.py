"""What the options of `darkroom generate` come to."""

import hashlib
import json
from pathlib import Path

import httpx
import pytest
import typer

from darkroom.cli.app import run
from darkroom.cli.gateway import DEFAULT_URL
from darkroom.cli.generate import parse_lora
from darkroom.client import place
from darkroom.client.flows import sending
from tests.integration.ledger.making import artifact
from tests.unit.cli.talking import answered_by
from tests.unit.client.playing import ID, document, problem


@pytest.mark.parametrize(
    ("words", "name", "weight"), [("neon:0.8", "neon", 0.8), ("neon", "neon", 1.0), ("old.v2:-1", "old.v2", -1.0)]
)
def test_a_lora_is_a_name_and_a_weight(words: str, name: str, weight: float) -> None:
    assert parse_lora(words) == {"model": name, "weight": weight}


def test_a_weight_that_is_no_number_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="neon:much"):
        parse_lora("neon:much")


def test_the_gateway_that_nobody_names_is_the_clients_own() -> None:
    assert place.DEFAULT_URL == DEFAULT_URL


def test_pictures_are_uploaded_first_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, bytes]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append((request.url.path, request.content))
        if request.url.path == "/api/v1/assets":
            name = request.content[-1:].decode() * 64
            return httpx.Response(201, json={"id": name, "sha256": name, "width": 1, "height": 1})
        return httpx.Response(422, json=problem(422, "invalid_field"))

    answered_by(handler, monkeypatch)
    for letter in "abc":
        (tmp_path / f"{letter}.png").write_bytes(b"\x89PNG " + letter.encode())
    arguments = ["generate", "x", "--image", str(tmp_path / "a.png"), "--mask", str(tmp_path / "b.png")]
    arguments += ["--control", f"canny/mine:{tmp_path}/c.png:0.5"]

    assert run([*arguments, "--strength", "0.5", "--expand", "0,8,16,0"]) == 1

    assert [path for path, _ in sent] == [*["/api/v1/assets"] * 3, "/api/v1/generations"]
    asked = json.loads(sent[-1][1])
    assert (asked["image"], asked["mask"], asked["strength"]) == ("a" * 64, "b" * 64, 0.5)
    assert asked["expand"] == {"left": 0, "top": 8, "right": 16, "bottom": 0}
    (control,) = asked["controlnets"]
    assert control == {"type": "canny", "model": "mine", "image": "c" * 64, "scale": 0.5, "preprocess": True}


def test_stages_layers_left_out_and_labels_are_asked_for_by_their_options(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, object]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(422, json=problem(422, "invalid_field"))

    answered_by(handler, monkeypatch)

    assert run(["generate", "x", "--hires", "1.5", "--clip-skip", "0", "--refiner", "polish", "--label", "AI"]) == 1
    assert run(["generate", "x"]) == 1

    assert (sent[0]["hires"], sent[0]["clip_skip"]) == ({"scale": 1.5}, 0)
    assert sent[0]["refiner"] == {"model": "polish"}
    assert sent[0]["visible_label"] == "AI"
    assert not {"hires", "clip_skip", "refiner", "visible_label"} & set(sent[1])


@pytest.mark.parametrize(("arguments", "files"), [((), ["a.png"]), (("-n", "2"), ["a-0.png", "a-1.png"])])
def test_what_was_made_is_written_and_told(
    arguments: tuple[str, ...],
    files: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = artifact(0).model_copy(update={"sha256": hashlib.sha256(b"picture").hexdigest()})
    ended = document("succeeded", artifacts=(made,) * len(files))

    def handler(request: httpx.Request) -> httpx.Response:
        if "/images/" in request.url.path:
            return httpx.Response(200, content=b"picture")
        if request.url.path.endswith("/events"):
            return httpx.Response(204)
        return httpx.Response(200, json=ended)

    answered_by(handler, monkeypatch)
    output = ["generate", "x", *arguments, "-o", str(tmp_path / "a.png")]
    assert run(output) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in files]
    assert run([*output, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["id"], told["files"]) == (ID, [str(tmp_path / name) for name in files])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(files, b"picture")


def test_a_refusal_is_one_line_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered_by(lambda _: httpx.Response(422, json=problem(422, "unknown_scheduler")), monkeypatch)
    assert run(["generate", "x"]) == 1
    assert capsys.readouterr() == ("", "darkroom: because of unknown_scheduler (unknown_scheduler)\n")


def test_silence_asks_whether_the_service_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sending, "FIRST_PAUSE_SECONDS", 0.0)
    assert run(["generate", "x", "--url", "http://127.0.0.1:1"]) == 1
    told = capsys.readouterr()
    assert told.err == "darkroom: nothing answers at http://127.0.0.1:1: is `darkroom up` running?\n"


@pytest.mark.parametrize("expand", ["8", "1,2,3", "1,2,3,4,5", "a,b,c,d", "-8,0,0,0", ""])
def test_an_expansion_that_is_not_four_numbers_is_wrong_usage(expand: str) -> None:
    assert run(["generate", "x", f"--expand={expand}"]) == 2


def test_all_fields_that_are_wrong_are_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [{"field": "width", "detail": "too small"}, {"field": "steps", "detail": "too many"}]
    found = problem(422, "invalid_field", errors=wrong)
    answered_by(lambda _: httpx.Response(422, json=found), monkeypatch)
    assert run(["generate", "x", "-o", str(tmp_path / "out.png")]) == 1
    assert capsys.readouterr().err == "darkroom: width: too small; steps: too many (invalid_field)\n"


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            problem(422, "invalid_field", detail="must be from 128 to 512 for tiny", field="width"),
            "width: must be from 128 to 512 for tiny (invalid_field)",
        ),
        (
            problem(422, "unknown_model", detail="no model named 'tini'; known: tiny", field="model"),
            "no model named 'tini'; known: tiny (unknown_model)",
        ),
        (
            problem(401, "unauthenticated", detail="send an API key: Authorization: Bearer KEY"),
            "send an API key: --api-key or DARKROOM_API_KEY (unauthenticated)",
        ),
    ],
)
def test_a_refusal_says_what_to_type_otherwise(
    found: dict[str, object], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered_by(lambda _: httpx.Response(int(str(found["status"])), json=found), monkeypatch)
    assert run(["generate", "x"]) == 1
    assert capsys.readouterr().err == f"darkroom: {line}\n"
