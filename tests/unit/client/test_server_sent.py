"""Server-sent events as the HTML standard has them."""

import pytest

from darkroom.client.server_sent import Lines, Reader


def read(*lines: str) -> list[tuple[str, str]]:
    reader = Reader()
    return [event for line in lines for event in reader.read(line)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_do_not_depend_on_how_the_text_was_cut(size: int) -> None:
    text = "a: 1\r\nb\n\nc\rd\r\n\r\n"
    lines = Lines()
    found = [line for at in range(0, len(text), size) for line in lines.read(text[at : at + size])]
    assert [*found, *lines.read("e\n")] == ["a: 1", "b", "", "c", "d", "", "e"]


def test_a_line_ends_nowhere_but_where_the_standard_says() -> None:
    text = "data: \u2028 \x85 \x0b \x1c\n"
    assert Lines().read(text) == [text[:-1]]


def test_events_are_read_between_comments_and_retry_lines() -> None:
    assert read("retry: 2000", "", ": ping", "", "event: a", "data: 1", "", "data:2", "") == [
        ("a", "1"),
        ("message", "2"),
    ]


def test_data_of_several_lines_is_one() -> None:
    assert read("data: 1", "data", "data:  3", "") == [("message", "1\n\n 3")]


def test_an_event_that_is_cut_off_is_not_told_and_its_id_not_remembered() -> None:
    reader = Reader()
    assert [event for line in ("id: 1", "data: x", "", "id: 2", "data: y") for event in reader.read(line)]
    assert reader.last_id == "1"
