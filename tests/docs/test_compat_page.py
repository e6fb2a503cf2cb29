"""The page on dialects names all that are spoken, and no client that no test runs."""

import re
from typing import get_args

from darkroom.settings import Settings
from tests.docs.pages import ROOT, page

PAGE = "docs/compat.md"
ROW = re.compile(r"^\| \[(?P<name>[^\]]+)\]\(#[a-z0-9-]+\) \| (?P<paths>[^|]+) \| (?P<clients>[^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([^`]+)`")


def imported() -> set[str]:
    """What the tests that run clients import, in Python and in Node."""
    python = "".join(path.read_text() for path in ROOT.glob("tests/**/*.py"))
    node = "".join(path.read_text() for path in ROOT.glob("tests/clients/node/*.mjs"))
    return {*re.findall(r"^\s*(?:import|from) (\w+)", python, re.MULTILINE), *re.findall(r"from '([^']+)'", node)}


def test_every_client_that_is_named_is_run_by_a_test() -> None:
    named = {client for row in ROW.finditer(page(PAGE)) for client in NAMED.findall(row["clients"])}
    assert len(named) > 7
    assert named - imported() == set()


def test_every_dialect_that_can_be_spoken_has_its_row_and_its_section() -> None:
    rows = [row["name"] for row in ROW.finditer(page(PAGE))]
    sections = re.findall(r"^## (.+)$", page(PAGE), re.MULTILINE)
    assert [name for name in sections if name in rows] == rows
    assert len(rows) == len(dialects())


def dialects() -> tuple[str, ...]:
    kind = Settings.model_fields["compat"].annotation
    (member, _) = get_args(kind)
    return get_args(member)
