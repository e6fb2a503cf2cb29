"""The command line as people use it, against a service that really makes pictures."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.demo.service import DARKROOM, Up, up

pytestmark = pytest.mark.slow

SECONDS = 120
WORDS = "a blue star on a yellow background"
# Of six lines two at once: the second goes on for long after the first is there.
STEPS = (10, 150, 10, 10, 10, 10)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("home")) as service:
        yield service


def typed(service: Up, folder: Path, *arguments: str, code: int = 0) -> str:
    """What a command prints, typed in this folder."""
    ended = subprocess.run(
        [DARKROOM, *arguments],
        cwd=folder,
        env={**service.environment, "DARKROOM_URL": service.url},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout


def jobs(service: Up, folder: Path) -> list[dict[str, Any]]:
    """Those of the batch, newest first."""
    found = map(json.loads, typed(service, folder, "jobs", "-n", "99", "--json").splitlines())
    return [job for job in found if job["plan"]["prompt"] == WORDS]


def states(service: Up, folder: Path) -> set[str]:
    return {job["state"] for job in jobs(service, folder)}


def test_what_there_is_is_listed(service: Up, tmp_path: Path) -> None:
    assert typed(service, tmp_path, "models").startswith("tiny\t")
    assert typed(service, tmp_path, "loras").startswith("outline\t")
    assert typed(service, tmp_path, "webhooks", "list") == typed(service, tmp_path, "webhooks", "endpoints") == ""
    findings = json.loads(typed(service, tmp_path, "doctor", "--json"))
    assert {"ledger", "store", "clock", "disk", "device", "gateway"} <= {finding["check"] for finding in findings}
    assert [finding for finding in findings if finding["state"] == "fail"] == []


def test_a_picture_is_made_and_all_of_it_is_shown(service: Up, tmp_path: Path) -> None:
    made = json.loads(typed(service, tmp_path, "generate", "a red circle", "--seed", "7", "-o", "a.png", "--json"))
    found = json.loads(typed(service, tmp_path, "inspect", "a.png", "--json"))
    assert found["generation"]["id"] == made["id"] == found["verdict"]["owner"]["job_id"]
    assert found["credential"]["generation"]["seed"] == made["images"][0]["seed"] == 7
    assert found["file"]["sha256"] == made["images"][0]["sha256"]
    assert f"receipt     generation {made['id']}, picture 0\n" in typed(service, tmp_path, "inspect", "a.png")


def test_a_batch_that_is_interrupted_cancels_and_goes_on_where_it_was(service: Up, tmp_path: Path) -> None:
    lines = [f"{WORDS} -- seed={seed} steps={steps}" for seed, steps in enumerate(STEPS)]
    (tmp_path / "prompts.txt").write_text("\n".join(lines))
    command = [DARKROOM, "batch", "prompts.txt", "-j", "2", "--contact-sheet", "sheet.png"]
    environment = {**service.environment, "DARKROOM_URL": service.url}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as going:
        assert going.stdout
        assert going.stdout.readline().startswith("batch/")
        os.kill(going.pid, signal.SIGINT)
        assert going.wait(SECONDS) == 130
    made = len(list((tmp_path / "batch").glob("*.png")))
    assert 1 <= made < 6
    until = time.monotonic() + 20
    while {"queued", "running"} & states(service, tmp_path) and time.monotonic() < until:
        time.sleep(0.2)
    assert states(service, tmp_path) == {"succeeded", "canceled"}
    assert not (tmp_path / "sheet.png").exists()

    told = typed(service, tmp_path, *command[1:])

    assert len(told.splitlines()) == len(list((tmp_path / "batch").iterdir())) == 6
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 3 * 256
    assert sorted(job["plan"]["seeds"][0] for job in jobs(service, tmp_path) if job["state"] == "succeeded") == list(
        range(6)
    )
