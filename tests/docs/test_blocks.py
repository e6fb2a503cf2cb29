"""Every block that a reader could type is run by a test, or says why not, and is at least well formed.

`tests/clients/test_pages.py` runs them, against the real service; `tests/docs/test_readme.py` the shell of the README.
"""

import json
import re
import subprocess

import pytest

from tests.docs.pages import ROOT, Block, blocks, pages

TYPED = {"sh", "python", "js"}
SHOWN = {"json", "text", ""}
BEGINS_LIKE_A_COMMAND = re.compile(
    r"(\$ |export )?(darkroom|curl|make|pip|python|node|npm|docker|kubectl|DARKROOM_\w+=)\b"
)
ALL = [
    pytest.param(block, id=f"{path.relative_to(ROOT)}-{number}")
    for path in pages()
    for number, block in enumerate(blocks(str(path.relative_to(ROOT))))
]
WRITTEN_TO_BE_TYPED = [case for case in ALL if case.values[0].language in TYPED | {"json"}]


def test_there_are_blocks_to_look_at() -> None:
    assert len(WRITTEN_TO_BE_TYPED) > 20


@pytest.mark.parametrize("block", ALL)
def test_a_block_says_what_it_is(block: Block) -> None:
    """Else what is typed could be called text, and nobody would run it."""
    assert block.language in TYPED | SHOWN
    if block.language not in TYPED:
        assert not BEGINS_LIKE_A_COMMAND.match(block.text), "call it sh, with `not-run: WHY` behind it where need be"


@pytest.mark.parametrize("block", ALL)
def test_what_is_not_run_says_why(block: Block) -> None:
    if block.note:
        assert block.language in TYPED
        assert len(str(block.why_not_run).split()) > 2, block.note


@pytest.mark.parametrize("block", WRITTEN_TO_BE_TYPED)
def test_a_block_is_well_formed(block: Block) -> None:
    match block.language:
        case "sh":
            read = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
            assert (read.returncode, read.stderr) == (0, "")
        case "python":
            compile(block.text, "<block>", "exec")
        case "json":
            json.loads(block.text)
