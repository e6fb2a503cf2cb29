"""The notebook, run from top to bottom in a kernel of its own."""

import asyncio
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.clients.flavours import Running
from tests.docs.pages import ROOT

TOUR = ROOT / "examples" / "tour.ipynb"
CELL_SECONDS = 120
MOST_BYTES = 20_000


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(TOUR, as_version=4)


def test_it_is_kept_without_what_it_once_showed(notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs"), cell.source
        assert cell.get("execution_count") is None
    assert TOUR.stat().st_size < MOST_BYTES


def test_every_cell_runs_and_shows_what_it_is_about(
    notebook: nbformat.NotebookNode, service: Running, tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    environment = {**kept, **service.environment(), "IPYTHONDIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": tmp_path}},
    )
    asyncio.run(client.async_execute(env=environment))
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [output for output in shown if "image/png" in output.get("data", {})]
    assert len(pictures) == 5
    said = "".join(str(output.get("data", {}).get("text/plain", "")) for output in shown)
    assert "'intact'" in said
    assert "('recovered', True)" in said
