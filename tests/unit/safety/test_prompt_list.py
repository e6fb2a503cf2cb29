"""What a list finds in prompts, what it leaves alone, and how long that takes."""

from time import thread_time

import pytest

from darkroom.safety.prompt_list import PromptList, minors_list
from tests.unit.safety.beside_children import ADULTS, ORDINARY, PLAIN, REFUSED
from tests.unit.safety.innocent import DISGUISED, PROMPTS, WORDS

BAD_WORDS = """
anal arse ass boob boobs butt child clit cock cum cunt dick dyke fag hell hentai kid naked negro nigger nude penis porn
pussy rape retard sex shit slut spic tit tits vagina whore nudes
"""
ONE_WORD = PromptList("one", b"sexual: porn")
MINORS = minors_list()


def list_of(*lines: str) -> PromptList:
    return PromptList("mine", "\n".join(lines).encode())


def flags(found: PromptList, prompt: str) -> bool:
    return any(found.scores(prompt).values())


def test_innocent_words_are_left_alone() -> None:
    strict = list_of(*(f"bad: {word}" for word in BAD_WORDS.split()))
    assert [word for word in WORDS.split() if flags(strict, word)] == []
    assert [word for word in WORDS.split() if flags(strict, f"a picture of {word.upper()}, with {word}s")] == []


@pytest.mark.parametrize("prompt", PROMPTS)
def test_innocent_prompts_pass_the_list_that_ships(prompt: str) -> None:
    assert MINORS.scores(prompt) == {"sexual_minors": 0.0}


@pytest.mark.parametrize("prompt", DISGUISED)
def test_a_word_is_found_however_it_is_spelled(prompt: str) -> None:
    assert ONE_WORD.scores(prompt) == {"sexual": 1.0}


@pytest.mark.parametrize(
    "prompt",
    [
        "a nude child",
        "child, standing, nude",
        "12yo, lingerie",
        "(nude:1.3), (12 year old:1.1)",
        "nude(child)",
        "nu(de) chi[ld]",
        "n u d e ch1ld",
        "nаkеd tоddler",
        "aged 9, topless",
        "loli, nsfw",
        "child porn",
        "naked, BREAK, little girl",
    ],
)
def test_sex_beside_children_is_found(prompt: str) -> None:
    assert MINORS.scores(prompt) == {"sexual_minors": 1.0}


def test_of_two_hundred_ordinary_prompts_with_children_none_is_flagged() -> None:
    assert len(ORDINARY) > 200
    assert [prompt for prompt in (*ORDINARY, *ADULTS) if flags(MINORS, prompt)] == []


def test_what_is_said_plainly_is_found() -> None:
    assert [prompt for prompt in PLAIN if not flags(MINORS, prompt)] == []


def test_what_no_list_can_tell_apart_is_refused_as_the_page_says() -> None:
    assert [prompt for prompt in REFUSED if not flags(MINORS, prompt)] == []


def test_numbers_may_be_written_out() -> None:
    near = list_of("bad: <1-17> years old")
    assert all(flags(near, f"{age} years old") for age in ("one", "Twelve", "seventeen"))
    assert not any(flags(near, f"{age} years old") for age in ("eighteen", "thirty-two", "sixty one", "ninety"))


def test_words_far_from_one_another_are_two_things() -> None:
    assert not flags(MINORS, "a child on a swing, " + "a tree, " * 20 + "a nude statue")


def test_numbers_and_weights_take_no_place() -> None:
    near = list_of("bad: red & blue within 3")
    assert flags(near, "(red:1.25), 8 (green:1.5) 1024 blue")
    assert not flags(near, "red green yellow blue")


def test_groups_are_near_one_another_whichever_comes_first() -> None:
    near = list_of("bad: red & green & blue within 4")
    assert flags(near, "green x blue red")
    assert flags(near, "green " * 9 + "x blue red")
    assert not flags(near, "green x y blue red")
    assert not flags(near, "green green red red")


def test_without_a_distance_anywhere_will_do() -> None:
    assert flags(list_of("bad: red & blue"), "red " + "x " * 500 + "blue")


def test_the_highest_score_of_a_category_counts() -> None:
    scored = list_of("sexual 0.5: lingerie", "sexual 0.9: porn", "gore: guts")
    assert scored.scores("lingerie") == {"sexual": 0.5, "gore": 0.0}
    assert scored.scores("lingerie porn guts") == {"sexual": 0.9, "gore": 1.0}


def test_an_entry_may_say_what_words_begin_with() -> None:
    begins = list_of("bad: porn*", "allow: pornic")
    assert flags(begins, "pornographic")
    assert not flags(begins, "the castle of Pornic")
    assert not flags(begins, "unpornlike")
    assert all(flags(begins, word) for word in ("p0rnographic", "p.o.r.n.o", "po-rnographic", "p o r n"))


def test_what_is_allowed_counts_only_where_it_stands_so() -> None:
    lenient = list_of("bad: nude", "allow: nude heels")
    assert not flags(lenient, "nude heels")
    assert flags(lenient, "nude heels, nude")


def test_words_of_scripts_without_spaces_are_found_between_others() -> None:
    assert flags(list_of("bad: 裸体"), "美しい裸体の絵")
    assert not flags(list_of("bad: 裸体"), "裸の体")


def test_a_capital_that_is_both_i_and_l_is_i() -> None:
    assert all(flags(list_of("bad: child"), f"ch{capital}ld") for capital in "ΙІӀI")


def test_letters_that_are_listed_spell_nothing() -> None:
    strict = list_of("bad: sexy", "bad: cum")
    assert not flags(strict, "Tesla models S, 3, X, Y; a kid learns C, U, M")
    assert flags(strict, "s 3 x y")


def test_letters_that_look_latin_in_words_of_other_languages_are_no_disguise() -> None:
    assert not flags(list_of("bad: pot", "bad: hoc"), "кот на холме смотрит на море")
    assert flags(list_of("bad: замок"), "старый Замок")


def test_the_version_is_the_hash_of_the_list() -> None:
    assert ONE_WORD.version != list_of("sexual: porn ").version
    assert len(ONE_WORD.version) == 64


HOSTILE = {
    "words": "a photograph of an old castle on a hill, dramatic light, (detailed:1.2), ",
    "letters": "a ",
    "dotted letters": "a.",
    "letters far apart": "a   ",
    "open brackets": "(",
    "open LoRAs": "<lora:",
    "one long word": "a",
    "marks on one letter": "\u0336",
    "ligatures of whole sentences": "\ufdfa",
    "characters that are words": "性",
    "what is looked for": "nude child ",
    "nearly what is looked for": "sex sexx naked child",
    "joined": "a---",
    "digits": "a1 ",
    "underscores": "_",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
def test_ten_thousand_characters_take_no_time(text: str) -> None:
    """Measured in 1 to 15 ms beside other work; anything that grows with the square takes seconds."""
    prompt = (HOSTILE[text] * 10_000)[:10_000]
    hostile = list_of("bad: a a a a a a a b", "bad: aaa* aaa* b", "bad: aaa & b within 3", "bad: 性性性性性性性男")
    for found in (MINORS, hostile):
        began = thread_time()
        found.scores(prompt)
        assert thread_time() - began < 0.25


@pytest.mark.slow
def test_a_long_list_takes_no_longer_than_a_short_one() -> None:
    long = list_of(*(f"bad: aword{number} phrase {number}" for number in range(50_000)))
    began = thread_time()
    long.scores("a word phrase " * 700)
    assert thread_time() - began < 0.25
    alike = list_of(*(f"bad: aword{number:05}" for number in range(50_000)))
    began = thread_time()
    alike.scores("a w o r d 0 " * 830)
    assert thread_time() - began < 0.25


@pytest.mark.slow
def test_rules_that_share_a_group_are_tried_once() -> None:
    """Once for each of its words, this took a minute."""
    group = [f"w{number:04}a" for number in range(1000)]
    many = list_of(f"@group = {' | '.join(group)}", *(f"bad: @group & x{number} within 3" for number in range(200)))
    began = thread_time()
    many.scores(" ".join(group))
    assert thread_time() - began < 0.5
