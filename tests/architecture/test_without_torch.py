"""The fast tests of which the Makefile says that they need no torch cannot come to need it unseen."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFUSED = "import importlib.util, tests.without_torch; assert importlib.util.find_spec('{0}'); import {0}"


@pytest.mark.parametrize("name", ["torch", "diffusers", "transformers", "peft"])
def test_it_is_installed_and_refused_with_what_to_do(name: str) -> None:
    asked = [sys.executable, "-c", f"try:\n {REFUSED.format(name)}\nexcept Exception: print('another way was taken')"]
    ended = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "")
    last = ended.stderr.splitlines()[-1]
    assert last.startswith(f"tests.without_torch.TorchRefused: {name} ")
    assert "list these tests under TORCH in the Makefile" in last
