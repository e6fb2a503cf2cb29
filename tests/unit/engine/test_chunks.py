"""Prompts of any length are laid out as Forge lays them out, and nothing gets lost."""

from hypothesis import given
from hypothesis import strategies as st

from worker.models.chunks import BACKTRACK, MOST_CHUNKS, Unit, Vector, chunked

COMMA = 0
SIZE = 30


def units(*tokens: int, weight: float = 1.0) -> list[Unit]:
    return [Unit((token,), weight) for token in tokens]


def laid_out(*sections: list[Unit], size: int = SIZE) -> list[list[int | Vector]]:
    chunks, dropped = chunked(sections, size, COMMA)
    assert dropped == 0
    return [[weighted.token for weighted in chunk] for chunk in chunks]


def test_no_words_are_one_empty_chunk() -> None:
    assert laid_out([]) == [[]]


def test_a_full_chunk_begins_another_with_the_next_token_only() -> None:
    assert laid_out(units(*range(1, 31))) == [list(range(1, 31))]
    assert laid_out(units(*range(1, 32))) == [list(range(1, 31)), [31]]


def test_a_section_begins_a_chunk_and_an_empty_end_is_none() -> None:
    assert laid_out(units(1), units(2)) == [[1], [2]]
    assert laid_out(units(1), []) == [[1]]
    assert laid_out([], units(1)) == [[], [1]]
    assert laid_out(units(1), [], units(2)) == [[1], [], [2]]


def test_a_phrase_after_a_near_comma_moves_to_the_next_chunk_whole() -> None:
    before, phrase = list(range(1, 20)), list(range(101, 112))

    assert laid_out(units(*before, COMMA, *phrase)) == [[*before, COMMA], phrase]


def test_a_comma_too_far_back_breaks_nothing() -> None:
    far, near = list(range(1, SIZE - BACKTRACK)), list(range(1, SIZE - BACKTRACK + 1))
    phrase = list(range(101, 101 + BACKTRACK))

    assert laid_out(units(*far, COMMA, *phrase, 200)) == [[*far, COMMA, *phrase], [200]]
    assert laid_out(units(*near, COMMA, *phrase)) == [[*near, COMMA], phrase]


def test_a_comma_that_does_not_fit_begins_the_next_chunk() -> None:
    assert laid_out(units(*range(1, 31), COMMA, 40)) == [list(range(1, 31)), [COMMA, 40]]


def test_a_comma_of_the_chunk_before_is_forgotten() -> None:
    tokens = [COMMA, *range(1, 2 * SIZE + 5)]

    assert [len(chunk) for chunk in laid_out(units(*tokens), size=SIZE)] == [30, 30, 5]


def test_vectors_of_one_embedding_stay_together() -> None:
    embedding = Unit(tuple(Vector("style", index) for index in range(4)), 1.2)

    chunks, dropped = chunked([[*units(*range(1, 29)), embedding, *units(50)]], SIZE, COMMA)

    assert [len(chunk) for chunk in chunks] == [28, 5]
    assert [weighted.weight for weighted in chunks[1]] == [1.2] * 4 + [1.0]
    assert dropped == 0


def test_an_embedding_larger_than_a_chunk_is_counted_as_dropped() -> None:
    embedding = Unit(tuple(Vector("style", index) for index in range(SIZE + 1)), 1.0)

    assert chunked([[embedding]], SIZE, COMMA) == ([[]], SIZE + 1)


@given(
    st.lists(st.lists(st.integers(0, 5), max_size=70), max_size=24),
    st.integers(1, SIZE),
)
def test_tokens_keep_their_order_and_all_are_accounted_for(sections: list[list[int]], size: int) -> None:
    chunks, dropped = chunked([units(*section) for section in sections], size, COMMA)

    found = [weighted.token for chunk in chunks for weighted in chunk]
    given_ = [token for section in sections for token in section]
    assert 1 <= len(chunks) <= MOST_CHUNKS
    assert all(len(chunk) <= size for chunk in chunks)
    assert found == given_[: len(found)]
    assert len(found) + dropped == len(given_)
