"""`darkroom preprocess` against a gateway that is scripted."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from darkroom.cli import preprocess
from darkroom.cli.console import CommandFailed
from darkroom.client import NotMade
from darkroom.client.flows import lookups
from tests.unit.cli.talking import answered_by

QUEUED: dict[str, Any] = {"id": "j", "state": "queued", "type": "canny", "map": None, "failure": None}
MADE = {**QUEUED, "state": "succeeded", "map": {"id": "ab" * 32, "sha256": "ab" * 32, "width": 8, "height": 8}}


def scripted(monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any]) -> list[Any]:
    """Clients talk to a gateway that gives these answers about the map, one after the other."""
    asked: list[Any] = []
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/assets":
            return httpx.Response(201, json={**MADE["map"], "id": "cd" * 32})
        if request.url.path.startswith("/api/v1/assets/"):
            return httpx.Response(200, content=b"the map")
        asked.append(json.loads(request.content) if request.method == "POST" else request.url.path)
        return httpx.Response(200, json=next(left))

    monkeypatch.setattr(lookups, "LOOK_SECONDS", 0.0)
    answered_by(answer, monkeypatch)
    return asked


def picture(folder: Path) -> Path:
    path = folder / "in.png"
    path.write_bytes(b"\x89PNG")
    return path


def test_the_map_is_waited_for_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = scripted(monkeypatch, QUEUED, QUEUED, MADE)
    preprocess.preprocess("canny", picture(tmp_path), tmp_path / "map.png", 256)
    assert (tmp_path / "map.png").read_bytes() == b"the map"
    assert asked[0] == {"type": "canny", "image": "cd" * 32, "detect_resolution": 256}
    assert asked[1:] == ["/api/v1/preprocess/j"] * 2
    assert "ab" * 32 in capsys.readouterr().out


@pytest.mark.parametrize(
    ("output", "error"), [("map.jpg", typer.BadParameter), ("gone/map.png", CommandFailed), (".", typer.BadParameter)]
)
def test_a_place_for_no_map_is_refused_before_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, error: type[Exception]
) -> None:
    asked = scripted(monkeypatch, MADE)
    with pytest.raises(error):
        preprocess.preprocess("canny", picture(tmp_path), tmp_path / output)
    assert not asked


def test_why_there_is_no_map_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = {"code": "preprocessor_failed", "message": "no canny map", "retryable": False}
    scripted(monkeypatch, {**QUEUED, "state": "failed", "failure": failure})
    with pytest.raises(NotMade, match=r"^no canny map$"):
        preprocess.preprocess("canny", picture(tmp_path), tmp_path / "map.png")
    assert not (tmp_path / "map.png").exists()
