"""What CI runs, with a `make` that only notes what it is asked for; and what the real one hands on."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ["check-code", "test", "clients", "deploy-check", "chaos SEED=20261129"]
CLOSING = "===== 3 passed in 1.25s ====="
MAKE = f"""#!/bin/sh
echo "$@" >> "$NOTES"
[ "$1" = test ] && echo "{CLOSING}" || echo "===== 9 passed in 9.99s ====="
[ "$1" != "$FAILS" ]
"""


def run_ci(folder: Path, fails: str) -> tuple["subprocess.CompletedProcess[str]", list[str]]:
    (folder / "make").write_text(MAKE)
    (folder / "make").chmod(0o755)
    ran = subprocess.run(
        [ROOT / ".ci/run"],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "NOTES": str(folder / "notes"), "FAILS": fails},
        capture_output=True,
        text=True,
    )
    return ran, (folder / "notes").read_text().splitlines()


@pytest.mark.parametrize("fails", [stage.partition(" ")[0] for stage in STAGES])
def test_a_stage_that_fails_fails_the_run_and_keeps_no_other_from_running(fails: str, tmp_path: Path) -> None:
    ran, stages = run_ci(tmp_path, fails)
    assert ran.returncode == 1
    assert stages == STAGES
    assert re.findall(r"^failed: make (\S+)", ran.stdout, re.MULTILINE) == [fails]
    assert ran.stdout.splitlines()[-1] == CLOSING


def test_a_run_without_a_failure_ends_well_with_the_closing_line_of_the_tests(tmp_path: Path) -> None:
    ran, stages = run_ci(tmp_path, "")
    assert (ran.returncode, stages, ran.stderr) == (0, STAGES, "")
    assert "failed" not in ran.stdout
    assert ran.stdout.splitlines()[-1] == CLOSING


def test_make_has_python_keep_what_it_compiles() -> None:
    told = subprocess.run(
        ["make", "--eval=told: ; @echo $${PYTHONDONTWRITEBYTECODE-nothing is said}", "told"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "nothing is said\n"
