"""A list that is wrong says in which line, without the line; and a process does not start with it."""

from pathlib import Path

import pytest

from darkroom.errors import ConfigurationError
from darkroom.safety.building import prompt_checkers
from darkroom.safety.list_file import MOST_CHARS, MOST_LINES, read_list
from darkroom.settings import Settings

WRONG = {
    "porn": "line 1 is no `category: entry`",
    "sexual porn": "line 1 is no `category: entry`",
    "Sexual: porn": "line 1 is no `category: entry`",
    "# fine\n\nsexual: ": "line 3 has an entry without a word",
    "sexual: ...": "line 1 has an entry without a word",
    "sexual: porn |": "line 1 has an entry without a word",
    "sexual: porn &": "line 1 has an entry without a word",
    "sexual 1.5: porn": "line 1 has a score",
    "sexual 0: porn": "line 1 has a score",
    "sexual 0.0.1: porn": "line 1 has a score",
    "sexual: po*": r"line 1 has a \* behind fewer than 3 letters",
    "sexual: *": r"line 1 has a \* behind fewer than 3 letters",
    "sexual: a b c d e f g h i": "line 1 has a phrase of more than 8 words",
    "sexual: @child & nude": "line 1 says @child, which no line above it names",
    "@a = x\n@a = y\nsexual: @a": "line 2 names @a again",
    "sexual: nude within 3": "line 1 has `within` and only one group",
    "sexual: <17-1> years": "line 1 has < > that is not <LEAST-MOST>",
    "sexual: <lora:x>": "line 1 has < > that is not <LEAST-MOST>",
    "sexual: " + "a" * MOST_CHARS: "line 1 is longer",
    "# nothing": "has no entry",
    "allow: this": "has no entry",
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_a_wrong_line_is_named_and_not_told(text: str) -> None:
    with pytest.raises(ValueError, match=WRONG[text]) as refused:
        read_list(text)
    assert "porn" not in str(refused.value)


def test_a_list_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="more than"):
        read_list("#\n" * (MOST_LINES + 1))


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        prompt_checkers(Settings(safety_prompt_lists=[path]))
    return refused.value.detail


def test_a_list_that_is_wrong_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("sexual: porn\nsexual\n")
    assert refusal(path) == "DARKROOM_SAFETY_PROMPT_LISTS: words.txt: line 2 is no `category: entry`"
    path.write_bytes(b"sexual: \xff")
    assert refusal(path) == "DARKROOM_SAFETY_PROMPT_LISTS: words.txt is not UTF-8"
    assert "words.txt cannot be read: Is a directory" in refusal(_folder(tmp_path))
    assert refusal(tmp_path / "gone.txt").endswith("gone.txt cannot be read: No such file or directory")


def _folder(parent: Path) -> Path:
    folder = parent / "folder" / "words.txt"
    folder.mkdir(parents=True)
    return folder


def test_lists_are_searched_in_their_order_and_the_one_that_ships_unless_it_is_not_wanted(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(f"{name}: porn\n")
    lists = [tmp_path / "one.txt", tmp_path / "two.txt"]
    named = [checker.name for checker in prompt_checkers(Settings(safety_prompt_lists=lists))]
    assert named == ["one", "two", "minors-list"]
    alone = prompt_checkers(Settings(safety_prompt_lists=lists[:1], safety_minors_list=False))
    assert [checker.scores("PORN") for checker in alone] == [{"one": 1.0}]
