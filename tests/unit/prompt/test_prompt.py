"""A1111's syntax, read as A1111 reads it, and nothing that a prompt can do to the reader."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.prompt import MOST_WEIGHT, Piece, Prompt, parse

SYNTAX = st.text(alphabet="ab ,()[]\\:.19-+\n", max_size=60)


def pieces(text: str) -> list[tuple[str, float]]:
    """Text and rounded weight of a prompt of one section."""
    (section,) = parse(text).sections
    return [(piece.text, round(piece.weight, 6)) for piece in section]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a red circle", [("a red circle", 1.0)]),
        ("a (red) circle", [("a ", 1.0), ("red", 1.1), (" circle", 1.0)]),
        ("((red))", [("red", 1.21)]),
        ("(a (b:3) c)", [("a ", 1.1), ("b", 3.3), (" c", 1.1)]),
        ("[red]", [("red", round(1 / 1.1, 6))]),
        ("[(red)]", [("red", 1.0)]),
        ("(red:1.3)", [("red", 1.3)]),
        ("(red : 1.3 )", [("red ", 1.3)]),
        ("(red:.5)(blue:2.)", [("red", 0.5), ("blue", 2.0)]),
        ("(red:-1)", [("red", -1.0)]),
        ("(red:+1)", [("red", 1.0)]),
        ("(red:0)", [("red", 0.0)]),
        ("a (red:1.0) circle", [("a red circle", 1.0)]),
        (r"a \(red\) circle", [("a (red) circle", 1.0)]),
        (r"\[a\] \\ b", [("[a] \\ b", 1.0)]),
        (r"a \b", [("a b", 1.0)]),
        ("a (red", [("a ", 1.0), ("red", 1.1)]),
        ("a [red", [("a ", 1.0), ("red", round(1 / 1.1, 6))]),
        ("a) b]", [("a) b]", 1.0)]),
        ("a:1.3) b", [("a:1.3) b", 1.0)]),
        ("(a:1.2.3)", [("a:1.2.3", 1.1)]),
        ("(a:high)", [("a:high", 1.1)]),
        ("[a:1.3]", [("a:1.3", round(1 / 1.1, 6))]),
        ("(a [b) c]", [("a ", 1.1), ("b", 1.0), (" c", round(1 / 1.1, 6))]),
        ("(a:99999999)", [("a", MOST_WEIGHT)]),
        ("(a:-99999999)", [("a", -MOST_WEIGHT)]),
        ("()", []),
    ],
)
def test_emphasis(text: str, expected: list[tuple[str, float]]) -> None:
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a BREAK b", [["a "], [" b"]]),
        ("BREAK", [[], []]),
        ("a BREAK BREAK b", [["a "], [" "], [" b"]]),
        ("BREAKFAST at dawn, OUTBREAK", [["BREAKFAST at dawn, OUTBREAK"]]),
        ("break", [["break"]]),
        (r"BREA\K", [["BREAK"]]),
    ],
)
def test_break_begins_a_section(text: str, expected: list[list[str]]) -> None:
    assert [[piece.text for piece in section] for section in parse(text).sections] == expected


def test_a_break_inside_brackets_leaves_their_weight_on_both_sides() -> None:
    assert parse("(a BREAK b:2)") == Prompt(((Piece("a ", 2.0),), (Piece(" b", 2.0),)), clamped=0)


def test_weights_brought_within_the_limit_are_counted() -> None:
    assert parse("(a:99) b (c:-99) (d:9)").clamped == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "a" + ")" * 4_999,
        "[" * 5_000 + "a" + "]" * 4_999,
        "((a)" * 2_500,
        "(" * 5_000 + "a:0" + ")" * 4_990,
        "(a:" + "9" * 9_990 + ")",
        ":" * 10_000,
        "(" + ":1" * 4_990,
        "(:" + " " * 9_990,
        "\\" * 9_999,
        " " * 10_000,
        "BREAK " * 1_666,
        "([)]" * 2_500,
    ],
    ids=lambda text: text[:8],
)
def test_ten_thousand_hostile_characters_take_no_time_and_no_recursion(text: str) -> None:
    # Milliseconds in fact; the best of three, since the collector may come by with half a second of work.
    assert min(seconds_to_parse(text) for _ in range(3)) < 0.5
    parsed = parse(text)
    assert all(abs(piece.weight) <= MOST_WEIGHT for section in parsed.sections for piece in section)


def seconds_to_parse(text: str) -> float:
    began = time.thread_time()
    parse(text)
    return time.thread_time() - began


def test_brackets_around_nothing_times_infinity_are_a_number() -> None:
    ((piece,),) = parse("(" * 4_000 + "(a:0)" + ")" * 4_000).sections

    assert piece == Piece("a", 0.0)


@given(SYNTAX)
def test_any_text_has_finite_weights_within_the_limit(text: str) -> None:
    parsed = parse(text)

    assert parsed.sections
    assert all(-MOST_WEIGHT <= piece.weight <= MOST_WEIGHT for section in parsed.sections for piece in section)
    assert all(piece.text for section in parsed.sections for piece in section)
    assert all(one.weight != other.weight for section in parsed.sections for one, other in pairwise(section))


@given(SYNTAX)
def test_any_text_is_itself_once_it_is_escaped(text: str) -> None:
    escaped = re.sub(r"[\\()\[\]]", r"\\\g<0>", text)

    assert "".join(piece.text for section in parse(escaped).sections for piece in section) == text
    assert all(piece.weight == 1.0 for section in parse(escaped).sections for piece in section)


@pytest.mark.parametrize("text", ["a ([red]) circle", "a (([[red]])) circle", "a [([(([red]))])] circle"])
def test_brackets_that_cancel_out_leave_a_plain_prompt(text: str) -> None:
    assert parse(text) == parse("a red circle")


@given(SYNTAX)
def test_any_text_is_read_as_a1111_reads_it(text: str) -> None:
    try:
        expected = a1111(text)
    except ValueError:  # it fails over "(a:1.2.3)"
        return
    (section,) = parse(text).sections

    assert [piece.text for piece in section] == [words for words, _ in expected]
    for piece, (_, weight) in zip(section, expected, strict=True):
        assert piece.weight == pytest.approx(weight, abs=1e-8)


def a1111(text: str) -> list[tuple[str, float]]:  # noqa: C901
    """The parser of AUTOMATIC1111, written out, with our limit: each closing bracket multiplies what it encloses."""
    found: list[list[object]] = []
    stacks: dict[str, list[int]] = {"(": [], "[": []}
    lexemes = r"\\\(|\\\)|\\\[|\\]|\\\\|\\|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|]|[^\\()\[\]:]+|:"

    def multiply(start: int, factor: float) -> None:
        for entry in found[start:]:
            entry[1] *= factor

    for match in re.finditer(lexemes, text):
        lexeme, weight = match[0], match[1]
        if lexeme.startswith("\\"):
            found.append([lexeme[1:], 1.0])
        elif lexeme in stacks:
            stacks[lexeme].append(len(found))
        elif weight is not None and stacks["("]:
            multiply(stacks["("].pop(), float(weight))
        elif lexeme == ")" and stacks["("]:
            multiply(stacks["("].pop(), 1.1)
        elif lexeme == "]" and stacks["["]:
            multiply(stacks["["].pop(), 1 / 1.1)
        else:
            found.append([lexeme, 1.0])
    for opening, factor in (("(", 1.1), ("[", 1 / 1.1)):
        for start in stacks[opening]:
            multiply(start, factor)
    joined: list[tuple[str, float]] = []
    for words, unbound in found:
        weight = max(-MOST_WEIGHT, min(unbound, MOST_WEIGHT))
        if joined and round(joined[-1][1], 9) == round(weight, 9):
            joined[-1] = (joined[-1][0] + words, joined[-1][1])
        elif words:
            joined.append((words, weight))
    return joined
