"""The page of a picture: what the file holds, what is said of it, and who is told how it was made."""

import io
import json
import zlib
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from darkroom.cli.app import run
from darkroom.provenance.stamper import Stamper
from darkroom.storage import MemoryStore
from tests.fakes import fake_stamper
from tests.integration.ledger.making import plan
from tests.unit.cli.talking import answered_by
from tests.unit.cli.test_verify import pixels
from tests.unit.client.playing import ID, document, problem

INTACT = {"state": "intact", "text": "As it was.", "watermark_id": "0123456789ab", "manifest_id": "urn:c2pa:1"}
OWNED = {**INTACT, "owner": {"job_id": ID, "index": 0}}


def gateway(monkeypatch: pytest.MonkeyPatch, verdict: dict[str, Any], generation: Any = None) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/verify"):
            return httpx.Response(200, json=verdict)
        return httpx.Response(200, json=generation) if generation else httpx.Response(404, json=problem(404))

    answered_by(answer, monkeypatch)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    said = PngImagePlugin.PngInfo()
    said.add_text("parameters", "a cat\x1b[2J\nSteps: 20, Seed: 7, Size: 64x64")
    Image.new("RGB", (64, 48)).save(tmp_path / "bare.png", pnginfo=said)
    return tmp_path / "bare.png"


@pytest.fixture
async def stamped(tmp_path: Path) -> Path:
    from darkroom.provenance import Facts

    store = MemoryStore()
    stamper: Stamper = fake_stamper(store)
    facts = Facts(
        job_id=ID, index=0, tenant="ann", plan=plan(), seed=7, created_at=1_800_000_000.0, versions={"torch": "9"}
    )
    made = await stamper.issue(pixels(), facts, store, "images/x/0.png")
    (tmp_path / "made.png").write_bytes(made.data)
    return tmp_path / "made.png"


def test_a_picture_without_anything_is_said_to_have_nothing(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway(monkeypatch, {"state": "no_evidence", "text": "Nothing was found."})
    assert run(["inspect", str(bare)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(bare)
    assert lines[1] == f"file        PNG, 64x48, {bare.stat().st_size} B"
    assert "verdict     no_evidence" in lines
    assert "            Nothing was found." in lines
    assert "credential  none in the file" in lines
    assert "watermark   none that is read here" in lines
    assert lines[-1] == "text        a cat [2J Steps: 20, Seed: 7, Size: 64x64"


async def test_what_a_credential_says_is_shown_whoever_signed(
    stamped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway(monkeypatch, INTACT)
    assert run(["inspect", str(stamped)]) == 0
    told = capsys.readouterr().out
    assert "says: text_to_image, by tiny, seed 7, 20 steps, guidance 4.5, ddim, 128x128" in told
    assert "says: with torch 9" in told
    assert "receipt     none: it is told to whoever made the picture" in told
    assert "prompt" not in told


def test_its_maker_is_shown_the_receipt(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway(monkeypatch, OWNED, document("succeeded"))
    assert run(["inspect", str(bare)]) == 0
    told = capsys.readouterr().out
    assert f"receipt     generation {ID}, picture 0\n" in told
    assert "text_to_image by tiny, seed 7, 20 steps, guidance 4.5, ddim" in told
    assert "prompt: a red circle" in told
    assert "1.00 s on cpu" in told


def test_a_record_that_is_not_kept_any_more_is_said_to_be_elsewhere(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway(monkeypatch, OWNED)
    assert run(["inspect", str(bare)]) == 0
    assert "its record is not here" in capsys.readouterr().out


def test_json_is_one_object_a_picture_and_what_is_none_is_told(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway(monkeypatch, OWNED, document("succeeded"))
    (tmp_path / "no.png").write_text("no picture")
    assert run(["inspect", str(bare), str(tmp_path / "no.png"), str(tmp_path / "gone.png"), "--json"]) == 1
    told = capsys.readouterr()
    (found,) = map(json.loads, told.out.splitlines())
    assert (found["file"]["width"], found["verdict"]["state"], found["credential"]) == (64, "intact", None)
    assert found["generation"]["id"] == ID
    assert told.err.splitlines() == [
        f"darkroom: {tmp_path}/no.png: not a PNG, JPEG or WebP picture",
        f"darkroom: {tmp_path}/gone.png: No such file or directory",
    ]


def test_a_damaged_credential_is_said_to_be_damaged(
    stamped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(stamped.read_bytes())
    chunk = data.index(b"caBX")
    end = chunk + 4 + int.from_bytes(data[chunk - 4 : chunk])
    data[chunk + 60 : chunk + 100] = bytes(40)
    data[end : end + 4] = zlib.crc32(data[chunk:end]).to_bytes(4)
    stamped.write_bytes(data)
    gateway(monkeypatch, {"state": "modified", "text": "It does not hold."})
    assert run(["inspect", str(stamped)]) == 0
    assert "credential  damaged, it cannot be read" in capsys.readouterr().out


def test_pixels_alone_are_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway(monkeypatch, INTACT)
    jpeg = io.BytesIO()
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(jpeg, "JPEG")
    (tmp_path / "a.jpg").write_bytes(jpeg.getvalue())
    assert run(["inspect", str(tmp_path / "a.jpg")]) == 0
