"""SECURITY.md names tests, and they are there."""

import re

from tests.docs.pages import ROOT


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []
