"""The page on provenance tells verify's states and notes in the code's own words."""

from darkroom.provenance.verdict import DEVELOPMENT_WORDS, NOTES, WORDS
from tests.docs.pages import page, table_rows

PAGE = "docs/provenance.md"


def test_the_page_has_every_state_with_its_words() -> None:
    told = {row[0]: row[2] for row in table_rows(PAGE) if row[0] in set(WORDS) and len(row) == 3}
    assert told == {state.value: words for state, words in WORDS.items()}


def test_the_page_has_every_note() -> None:
    text = page(PAGE)
    assert [note for note in (*NOTES, DEVELOPMENT_WORDS) if note not in text] == []
