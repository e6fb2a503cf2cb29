"""Whose library reads and signs credentials."""

import re
import subprocess
import sys
from pathlib import Path

import c2pa
import pytest

LOADED = """
import os, sys
from darkroom.provenance.native import c2pa
print(sys.modules["c2pa.c2pa"]._lib._name, os.environ.get("C2PA_LIBRARY_NAME"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("place", [".", "libs"])
def test_a_library_that_lies_beside_downloaded_pictures_is_not_run(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "libc2pa_c.so").symlink_to(Path(c2pa.__file__).parent / "libs" / "libc2pa_c.so")
    code = [sys.executable, "-P", "-c", LOADED]
    done = subprocess.run(code, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    library, left = done.stdout.split()
    assert Path(library).parts[-3:] == ("c2pa", "libs", "libc2pa_c.so")
    assert not Path(library).is_relative_to(tmp_path)
    assert left == "None", "what others start is told nothing of it"


def test_nothing_of_ours_loads_it_in_another_way() -> None:
    root = Path(__file__).parents[3]
    files = [path for part in ("darkroom", "api", "worker") for path in (root / part).rglob("*.py")]
    own = re.compile(r"^ *(import|from) c2pa\b", re.MULTILINE)
    assert [path.name for path in files if own.search(path.read_text())] == ["native.py"]
