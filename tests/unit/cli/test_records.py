"""What an operator is told of what is kept, and that it is gone when it is to be."""

import asyncio
import json
from pathlib import Path

import pytest

from darkroom.cli.app import run
from darkroom.provenance import Records, Stamped, Stamper
from darkroom.services.keys import open_keys
from darkroom.settings import Settings
from darkroom.storage import open_store
from tests.unit.provenance.making import facts, shapes

JOB = "01JC0000000000000000000000"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DARKROOM_HOME", str(tmp_path))
    return Settings(home=tmp_path)


@pytest.fixture
def stamped(settings: Settings) -> list[Stamped]:
    """Two pictures of one generation."""
    keys, store = open_keys(settings), open_store(settings)
    stamper = Stamper(keys.watermarker, keys.identity, Records(store, keys.ring.current.secret))

    async def issue(index: int) -> Stamped:
        told = facts(JOB, index=index, width=64, height=64)
        return await stamper.issue(shapes(64, 64, seed=index), told, store, f"images/{JOB}/{index}")

    return [asyncio.run(issue(index)) for index in range(2)]


def provenance_of(settings: Settings) -> list[Path]:
    return [path for path in (settings.folder_root / "provenance").rglob("*") if path.is_file()]


def test_a_record_is_shown_by_its_mark_and_all_of_a_generation_by_its_id(
    stamped: list[Stamped], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["records", "show", stamped[1].watermark_id]) == 0
    told = capsys.readouterr().out
    assert told.startswith(stamped[1].watermark_id)
    assert f"manifest_id {stamped[1].manifest_id}" in told
    assert stamped[1].record.thumbnail not in told
    assert run(["records", "show", "--json", JOB]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert shown == [json.loads(each.record.model_dump_json()) for each in stamped]


def test_a_generation_is_forgotten_whole_and_asking_again_does_no_harm(
    settings: Settings, stamped: list[Stamped], capsys: pytest.CaptureFixture[str]
) -> None:
    assert provenance_of(settings)
    assert run(["records", "forget", JOB, stamped[0].watermark_id]) == 0
    told, logged = capsys.readouterr()
    assert [line for line in told.splitlines() if "forgotten, with 1 manifest" in line] == [
        f"{each.watermark_id}: forgotten, with 1 manifest" for each in stamped
    ]
    assert "`unknown_id`" in told
    assert provenance_of(settings) == []
    assert run(["records", "forget", JOB]) == 0
    assert capsys.readouterr().out == f"{JOB}: nothing is kept\n"
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [(line["event"], line["watermark_id"]) for line in lines] == [
        ("record.forgotten", each.watermark_id) for each in stamped
    ]
    assert stamped[0].record.tenant not in logged


def test_of_a_picture_of_which_nothing_is_kept_that_is_said(
    settings: Settings, stamped: list[Stamped], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["records", "show", "0123456789ab", stamped[0].watermark_id]) == 1
    told = capsys.readouterr().out
    assert told.startswith("0123456789ab: nothing is kept\n")
    assert stamped[0].watermark_id in told


def test_with_one_name_that_is_none_nothing_is_forgotten(settings: Settings, stamped: list[Stamped]) -> None:
    before = provenance_of(settings)
    for wrong in ("x", "0123456789AB", "../../marks", f"{JOB}0", ""):
        assert run(["records", "forget", stamped[0].watermark_id, wrong]) == 2
    assert provenance_of(settings) == before


def test_without_a_secret_only_marks_are_found_and_none_is_made(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["records", "forget", "0123456789ab"]) == 0
    assert run(["records", "forget", JOB]) == 1
    assert "there is none here" in capsys.readouterr().err
    assert list(settings.home_folder.iterdir()) == []
