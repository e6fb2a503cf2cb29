"""Programs of others that judge what is in `deploy/`: `make deploy-check` brings them, and fails without one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parents[2]
_PLACES = (Path(sys.executable).parent, ROOT / ".venv" / "prometheus" / "usr" / "bin")


def program(name: str) -> str:
    """Where it lies. Skips the test where it is nowhere, or fails it under `make deploy-check`."""
    places = os.pathsep.join([*map(str, _PLACES), os.environ["PATH"]])
    if found := shutil.which(name, path=places):
        return found
    words = f"{name}: NOT HERE, so nothing is said of what it would judge"
    if os.environ.get("DEPLOY") == "required":
        pytest.fail(words)
    pytest.skip(words)


def judged(name: str, *arguments: str | Path, where: Path = ROOT, stdin: IO[bytes] | None = None) -> str:
    """What it says when it finds no fault."""
    done = subprocess.run([program(name), *map(str, arguments)], cwd=where, stdin=stdin, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
