"""The layers in pyproject.toml hold, and the linter that says so does find a breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BREACHES = {
    "darkroom/planner/planning.py": "import torch",
    "api/app.py": "import worker.status",
    "worker/status.py": "import fastapi",
    "darkroom/provenance/facts.py": "import darkroom.settings",
    "darkroom/contract/base.py": "import darkroom.queue",
    "darkroom/oddments.py": "",
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_every_layer_is_kept() -> None:
    linted = lint_imports(ROOT)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("file", "line"), BREACHES.items(), ids=list(BREACHES))
def test_a_breach_is_found(file: str, line: str, tmp_path: Path) -> None:
    for name in ("darkroom", "api", "worker", "training"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as module:
        module.write(f"\n{line}\n")
    linted = lint_imports(tmp_path)
    assert linted.returncode == 1
    assert "BROKEN" in linted.stdout or "not exhaustive" in linted.stdout.lower(), linted.stdout
