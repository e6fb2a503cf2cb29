"""What the doctor says of disks, GPUs and gateways."""

import email.utils
import json
from pathlib import Path

import httpx
import pytest

from darkroom.cli import checks, machine_checks
from darkroom.cli.app import run
from darkroom.cli.machine_checks import check_device, check_disks, check_gateway, judge_date, judge_disk
from darkroom.settings import Settings


@pytest.mark.parametrize(("free", "state"), [(499_999_999, "fail"), (500_000_000, "warn"), (5_000_000_000, "ok")])
def test_a_disk_is_judged_by_what_is_free(free: int, state: str) -> None:
    assert judge_disk(free, "home")[0] == state


async def test_folders_of_one_disk_are_one_line_also_before_they_are_there(tmp_path: Path) -> None:
    ((_, words),) = await check_disks(Settings(home=tmp_path / "not" / "there"))
    assert words.split(" for ")[1].split(":")[0] == "home, spool, store"


def smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


async def test_gpus_are_told_as_the_driver_tells_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(tmp_path, monkeypatch, "printf 'NVIDIA H200, 143771, 580.1\\nodd\\n'")
    monkeypatch.setattr(machine_checks.importlib.metadata, "version", lambda _: "2.13.0+cpu")
    (_, first), (_, odd), (state, torch) = await check_device(Settings(home=tmp_path))
    assert first == "NVIDIA H200, 151 GB, driver 580.1"
    assert odd.startswith("odd")
    assert (state, torch) == ("warn", "torch 2.13.0+cpu cannot use it: install torch for CUDA")


@pytest.mark.parametrize("script", ["exit 9", "sleep 60"])
async def test_a_driver_that_fails_or_hangs_is_no_gpu(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi(tmp_path, monkeypatch, f"exec {script}" if "sleep" in script else script)
    monkeypatch.setattr(machine_checks, "ASKING_SECONDS", 0.2)
    ((state, words),) = await check_device(Settings(home=tmp_path))
    assert (state, words) == ("ok", "no GPU is seen, and the embedded model needs none")


async def test_a_real_model_without_a_gpu_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ((state, _),) = await check_device(Settings(home=tmp_path, models={"sd15": Path("/models/sd15")}))
    assert state == "warn"


def test_a_gateway_whose_clock_is_another_is_told() -> None:
    now = 1_800_000_000.0
    assert list(judge_date(email.utils.formatdate(now - 1, usegmt=True), now)) == []
    assert [state for state, _ in judge_date(email.utils.formatdate(now - 30, usegmt=True), now)] == ["warn"]
    assert [state for state, _ in judge_date(email.utils.formatdate(now + 90, usegmt=True), now)] == ["fail"]
    assert list(judge_date("yesterday", now)) == []


async def test_no_gateway_is_no_fault(tmp_path: Path) -> None:
    ((state, words),) = await check_gateway(Settings(home=tmp_path, port=1))
    assert (state, "none answers at http://127.0.0.1:1" in words) == ("ok", True)


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (503, "fail"), (404, "warn")])
async def test_a_gateway_is_judged_by_its_readiness(status: int, state: str, tmp_path: Path) -> None:
    answering = httpx.MockTransport(lambda _: httpx.Response(status, headers={"date": "Fri, 02 Jan 1970 00:00:00 GMT"}))
    verdict, clock = await check_gateway(Settings(home=tmp_path, host="0.0.0.0"), answering)
    assert (verdict[0], "http://127.0.0.1:8000" in verdict[1]) == (state, True)
    assert clock[0] == "fail"


def test_findings_as_json_are_all_of_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def found(settings: Settings) -> list[checks.Finding]:
        return [checks.Finding("ok", "disk", "room"), checks.Finding("fail", "ledger", "none")]

    monkeypatch.setattr(checks, "run_checks", found)
    assert run(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {"check": "disk", "state": "ok", "words": "room"},
        {"check": "ledger", "state": "fail", "words": "none"},
    ]
