"""Tables on terminals of any width, and in pipes."""

import io

import pytest
from rich.console import Console

from darkroom.cli.tables import bytes_words, seconds_words, show_table, table_of

TITLES = ("id", ">count", "words")
ROWS = [("a" * 26, "3", "many words " * 20), ("b", "12", "few\x1b[31m")]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_table_has_one_line_a_row_within_the_terminal(width: int) -> None:
    screen = Console(file=io.StringIO(), width=width)
    screen.print(table_of(TITLES, ROWS, width))
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3
    assert all(len(line) <= width for line in lines)
    assert lines[1].startswith("a" * 26 + "      3  many words")
    assert lines[1].rstrip().endswith("…")


def test_no_terminal_obeys_a_cell() -> None:
    screen = Console(file=io.StringIO(), width=80, force_terminal=True, no_color=True)
    screen.print(table_of(TITLES, ROWS[1:], 80))
    assert "\x1b[31m" not in screen.file.getvalue()  # type: ignore[attr-defined]


def test_a_pipe_gets_whole_cells_between_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(TITLES, ROWS)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split("\t") == [*ROWS[0]]
    assert second == "b\t12\tfew [31m"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (248_100, "248 kB"),
        (2_130_000_000, "2.1 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes_are_said_as_people_say_them(count: int, words: str) -> None:
    assert bytes_words(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "2 h"), (172_799, "48 h"), (172_800, "2 d")]
)
def test_spans_are_one_number_and_a_unit(seconds: float, words: str) -> None:
    assert seconds_words(seconds) == words
