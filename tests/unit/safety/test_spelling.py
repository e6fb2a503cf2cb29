"""Letters that look Latin are those of Unicode's own data; whatever is written, words come out."""

import json
import unicodedata
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import darkroom.safety
from darkroom.safety.prompt_list import PromptList, minors_list
from darkroom.safety.spelling import letter_by_letter, plain, readings, undisguised, words

MINORS = minors_list()


def derived() -> dict[str, str]:
    """From Unicode's confusables, as packaged: letters and symbols that look like one Latin letter, but are another."""
    pairs = json.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8"))
    table: dict[str, list[str]] = {}
    for char, others in pairs.items():
        if len(char) != 1 or char.isascii() or unicodedata.category(char)[0] not in "LNS":
            continue
        if any(part.isascii() and part.isalnum() for part in unicodedata.normalize("NFKD", char)):
            continue
        like = sorted({c.casefold() for c in (o["c"] for o in others) if len(c) == 1 and c.isascii() and c.isalpha()})
        if like:
            table.setdefault(like[0], []).append(char)
    return {letter: "".join(sorted(chars)) for letter, chars in sorted(table.items())}


def test_letters_that_look_latin_are_those_of_unicode() -> None:
    kept = json.loads(files(darkroom.safety).joinpath("lookalikes.json").read_text("utf-8"))
    assert kept == derived()
    assert sum(map(len, kept.values())) > 400


@pytest.mark.parametrize(
    ("written", "meant"),
    [("ｓｅｘ", "sex"), ("NAÏVE Café", "naive cafe"), ("ѕ℮х", "sex"), ("straße", "strasse"), ("İstanbul", "istanbul")],
)
def test_text_is_made_plain(written: str, meant: str) -> None:
    assert plain(written) == meant


def test_a_character_for_a_whole_sentence_does_not_become_one() -> None:
    assert len(plain("\ufdfa" * 10_000)) <= 10_000


def test_words_are_counted_without_numbers() -> None:
    assert [(word.spelled, word.at, word.number) for word in words("a 12 year 99999 old 3d")] == [
        ("a", 0, None), ("12", 1, 12), ("year", 1, None), ("99999", 2, None), ("old", 2, None), ("3", 3, 3),
        ("d", 3, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "meant"),
    [("A55 phone", set()), ("4k hdr", set()), ("p0rn", {"porn"}), ("co-op", {"coop"}), ("the 1980s", set())],
)
def test_signs_are_letters_where_most_of_a_word_is(text: str, meant: set[str]) -> None:
    assert undisguised(plain(text)) >= meant
    assert meant or not undisguised(plain(text))


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.text(max_size=300) | st.text("s3x()[]<>:.@$ -_nude childBREAK\u200b\u0336\ufdfa", max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for reading in readings(text):
        found = plain(reading)
        assert all(word.spelled for word in words(found))
        undisguised(found)
        letter_by_letter(found)
    assert MINORS.scores(text)["sexual_minors"] in (0.0, 1.0)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 3), st.text(" .,-_*\u200b\u00ad\u0301", min_size=1, max_size=3), st.text("xyz ,", max_size=20))
def test_a_word_is_found_through_what_is_put_into_it(place: int, between: str, around: str) -> None:
    hidden = "porn"[:place] + between.replace(" ", "").replace(",", "") + "porn"[place:]
    assert PromptList("one", b"sexual: porn").scores(f"{around} {hidden} {around}") == {"sexual": 1.0}
