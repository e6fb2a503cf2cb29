"""`darkroom demo` as a newcomer runs it: one command, one picture, proven."""

import subprocess
from pathlib import Path

import cv2
import pytest

from tests.e2e.demo.service import DARKROOM, bare_environment, processes_of
from training import checker

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return bare_environment(tmp_path / "nobody")


def test_the_demo_makes_the_picture_it_names_and_proves_it(tmp_path: Path, environment: dict[str, str]) -> None:
    ended = subprocess.run(
        [DARKROOM, "demo", "made.png"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "demo: ok made.png intact"
    reading = checker.read(cv2.cvtColor(cv2.imread(str(tmp_path / "made.png")), cv2.COLOR_BGR2RGB))
    assert reading.background == "white"
    assert [found.pair for found in reading.objects] == [("red", "circle")]
    assert not (tmp_path / "nobody").exists(), "the demo keeps out of the user's home"
    assert processes_of(environment) == {}


def test_nothing_is_started_for_a_picture_that_could_not_be_written(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    ended = subprocess.run(
        [DARKROOM, "demo", "nowhere/made.png"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "darkroom: nowhere is no folder\n"
