"""The page on provenance tells verify's states and notes in the code's own words."""

from darkroom.provenance.tss.gates import MOST_BY_CHANCE, chance_of_a_mark, gates_for
from darkroom.provenance.verdict import DEVELOPMENT_WORDS, NOTES, WORDS
from tests.docs.pages import page, table_rows

PAGE = "docs/provenance.md"


def test_the_page_has_every_state_with_its_words() -> None:
    told = {row[0]: row[2] for row in table_rows(PAGE) if row[0] in set(WORDS) and len(row) == 3}
    assert told == {state.value: words for state, words in WORDS.items()}


def test_the_page_has_every_note() -> None:
    text = page(PAGE)
    assert [note for note in (*NOTES, DEVELOPMENT_WORDS) if note not in text] == []


def test_the_page_tells_the_gates_and_the_chance_of_a_mark_that_is_none() -> None:
    told = {row[0]: row[1:] for row in table_rows(PAGE) if len(row) == 5}
    for epochs in (1, 2, 3, 9, 27, 100):
        gates = gates_for(epochs)
        numbers = [f"{gate:.2f}" for gate in (gates.direct, gates.second_look, gates.search)]
        assert list(told[str(epochs)]) == [*numbers, f"{chance_of_a_mark(epochs, gates):.1e}"]
    assert f"at most {MOST_BY_CHANCE:.1e}".replace("e-07", "e-7") in page(PAGE).replace("\n", " ")
