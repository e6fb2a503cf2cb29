"""`darkroom demo` as a newcomer runs it: one command, one picture, proven."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import pytest

from training import checker

pytestmark = pytest.mark.slow

DARKROOM = str(Path(sys.executable).with_name("darkroom"))


@pytest.fixture
def bare_environment(tmp_path: Path) -> dict[str, str]:
    """No setting of whoever runs the tests, and a home directory that must stay empty."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    return {**kept, "HOME": str(tmp_path / "nobody"), "OMP_NUM_THREADS": "1"}


def processes_of(environment: dict[str, str]) -> list[str]:
    """Command lines of processes that were given this environment and still run."""
    mark, found = f"\0HOME={environment['HOME']}\0".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in b"\0" + (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
    return found


def test_the_demo_makes_the_picture_it_names_and_proves_it(tmp_path: Path, bare_environment: dict[str, str]) -> None:
    ended = subprocess.run(
        [DARKROOM, "demo", "made.png"], cwd=tmp_path, env=bare_environment, capture_output=True, text=True, timeout=240
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "demo: ok made.png intact"
    reading = checker.read(cv2.cvtColor(cv2.imread(str(tmp_path / "made.png")), cv2.COLOR_BGR2RGB))
    assert reading.background == "white"
    assert [found.pair for found in reading.objects] == [("red", "circle")]
    assert not (tmp_path / "nobody").exists(), "the demo keeps out of the user's home"
    assert processes_of(bare_environment) == []


def test_nothing_is_started_for_a_picture_that_could_not_be_written(
    tmp_path: Path, bare_environment: dict[str, str]
) -> None:
    ended = subprocess.run(
        [DARKROOM, "demo", "nowhere/made.png"], cwd=tmp_path, env=bare_environment, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "darkroom: nowhere is no folder\n"
