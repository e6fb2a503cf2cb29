"""Who answers `darkroom verify`, and that looking changes nothing."""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from darkroom.cli.app import run
from darkroom.cli.verify import words_of
from darkroom.contract.verdict import OwnerSeen, State, Verdict
from darkroom.provenance import Facts
from darkroom.services import build_worker_services
from darkroom.settings import Settings
from tests.integration.ledger.making import plan
from tests.unit.cli.talking import answered_by

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that does not exist yet, and no other setting."""
    import os

    for name in [name for name in os.environ if name.startswith("DARKROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DARKROOM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "any.png"
    Image.fromarray(pixels()).save(file)
    return file


@pytest.fixture
def no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    answered_by(away, monkeypatch)


def pixels() -> Any:
    y, x = np.mgrid[0:128, 0:128]
    return np.stack([x + 60, y + 60, (x + y) // 2 + 40], axis=-1).astype(np.uint8)


def test_a_gateway_that_was_named_and_does_not_answer_is_an_error(
    picture: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(picture), "--url", NOWHERE]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert NOWHERE in told.err


def test_a_gateway_named_by_the_environment_counts_as_named(
    picture: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DARKROOM_URL", NOWHERE)
    assert run(["verify", str(picture)]) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("no_gateway")
def test_falling_back_to_this_machine_is_said(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(picture)]) == 3
    told = capsys.readouterr()
    assert "no_evidence" in told.out
    assert told.err == "no gateway answers at http://127.0.0.1:8000: answering from this machine's own records\n"


def test_looking_makes_no_keys_no_certificates_and_no_store(
    picture: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(picture), "--local"]) == 3
    assert "no_evidence" in capsys.readouterr().out
    assert not home.exists()


def test_several_pictures_are_looked_at_whatever_becomes_of_one(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, missing = tmp_path / "notes.txt", tmp_path / "missing.png"
    broken.write_text("no picture")
    assert run(["verify", str(broken), str(missing), "https://a.example/b.png", str(picture), "--local"]) == 1
    told = capsys.readouterr()
    assert told.out.startswith(f"{picture}: no_evidence\n")
    assert told.err.splitlines() == [
        f"darkroom: {broken}: not a PNG, JPEG or WebP picture",
        f"darkroom: {missing}: No such file or directory",
        "darkroom: https://a.example/b.png: only a gateway fetches URLs",
    ]


def test_json_is_one_object_a_line(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing.png")
    assert run(["verify", str(picture), "--local", "--json"]) == 3
    assert run(["verify", str(picture), missing, "--local", "--json"]) == 1
    one, two, three = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert one == two
    assert (one["picture"], one["state"], one["means"]) == (str(picture), "no_evidence", [])
    assert three == {"picture": missing, "error": "No such file or directory"}


def test_a_gateway_is_asked_for_what_lies_at_a_url(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"state": "intact", "text": f"seen at {json.loads(request.content)['url']}"})

    answered_by(answer, monkeypatch)
    assert run(["verify", "https://a.example/b.png"]) == 0
    assert capsys.readouterr().out == "https://a.example/b.png: intact\n  seen at https://a.example/b.png\n"


def test_an_owner_reads_the_prompt_and_no_terminal_obeys_it() -> None:
    owner = OwnerSeen(job_id="01JOB", index=0, parents=("0123456789ab",), prompt="a\x1b[2Jb")
    assert words_of(Verdict(state=State.INTACT, text="x", owner=owner, derived_from="urn:c2pa:1")) == [
        "x",
        "yours      generation 01JOB, picture 0",
        "parents    0123456789ab",
        "prompt     a [2Jb",
        "made from  urn:c2pa:1",
    ]


async def test_its_own_records_are_read_where_there_are_some(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    file, bare = tmp_path / "made.png", tmp_path / "bare.png"
    file.write_bytes(await issue(home))
    Image.open(io.BytesIO(file.read_bytes())).convert("RGB").save(bare)
    before = sorted(str(path) for path in home.rglob("*"))
    assert await asyncio.to_thread(run, ["verify", str(file), "--local"]) == 0
    assert await asyncio.to_thread(run, ["verify", str(bare), "--local"]) == 3
    told = capsys.readouterr().out
    assert "made.png: intact" in told
    assert "bare.png: recovered" in told
    assert sorted(str(path) for path in home.rglob("*")) == before


async def issue(home: Path) -> bytes:
    """A picture made by this home."""
    services = build_worker_services(Settings(home=home))
    facts = Facts(
        job_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        index=0,
        tenant="ann",
        plan=plan(),
        seed=7,
        created_at=1_800_000_000.0,
        versions={"x": "1"},
    )
    stamped = await services.stamper.issue(pixels(), facts, services.store, "images/x/0.png")
    await services.close()
    return stamped.data
