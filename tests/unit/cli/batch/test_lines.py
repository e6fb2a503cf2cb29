"""What a file of prompts says."""

from typing import Any

import pytest

from darkroom.cli.batch.lines import Line, parse_lines


def parsed(text: str, **shared: Any) -> list[Line]:
    lines, wrong = parse_lines(text, shared)
    assert wrong == []
    return lines


def test_a_line_is_a_prompt_and_remarks_are_none() -> None:
    lines = parsed("# shapes\n\n a red circle \r\n   # more\na blue star # with a hash\n")
    assert [(line.number, line.prompt) for line in lines] == [(3, "a red circle"), (5, "a blue star # with a hash")]


def test_a_line_has_its_own_behind_two_dashes_and_else_what_all_have() -> None:
    one, other = parsed("a -- b -- seed=7 size=192x128 guidance=3.5 scheduler=ddim\nc", steps=9, seed=1)
    assert one.prompt == "a -- b"
    assert one.fields == {
        "steps": 9,
        "seed": 7,
        "width": 192,
        "height": 128,
        "guidance_scale": 3.5,
        "scheduler": "ddim",
    }
    assert other.fields == {"steps": 9, "seed": 1}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "x -- stepz=3",
            "line 1: 'stepz=3' is none of seed=…, steps=…, size=…, guidance=…, scheduler=…, model=…, vae=…",
        ),
        ("x -- steps", "line 1: 'steps' is none of"),
        ("x -- steps=many", "line 1: 'many' is no steps"),
        ("x -- size=9", "line 1: '9' is no size"),
        ("x -- guidance=nan", "line 1: 'nan' is no guidance"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line(words: str, told: str) -> None:
    lines, (wrong,) = parse_lines(words, {})
    assert lines == []
    assert wrong.startswith(told)


def test_all_wrong_lines_are_told_at_once() -> None:
    lines, wrong = parse_lines("x -- a=1\nfine\nx -- b=1", {})
    assert ([line.prompt for line in lines], len(wrong)) == (["fine"], 2)


def test_the_name_of_a_file_depends_on_what_is_asked_and_on_nothing_else() -> None:
    (alone,) = parsed("A Red circle! -- seed=7")
    _, moved = parsed("# new\na star\nA Red circle! -- seed=7")
    (other,) = parsed("A Red circle! -- seed=8")
    assert alone.stem == moved.stem != other.stem
    assert alone.stem.startswith("a-red-circle-")


def test_the_same_line_twice_is_two_pictures() -> None:
    first, second = parsed("a\na")
    assert first.stem != second.stem
    assert first.stem == parsed("a")[0].stem


@pytest.mark.parametrize("prompt", ["円", "/../../etc/passwd", "." * 300, "a" * 10_000])
def test_no_prompt_leads_out_of_the_folder_or_is_too_long_for_a_name(prompt: str) -> None:
    (line,) = parsed(prompt)
    assert line.stem
    assert len(line.stem) < 60
    assert not set(line.stem) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
