"""When a worker had room is noted from what is seen now and then."""

from tests.chaos.room import Room, together


def test_there_is_room_where_one_who_is_ready_holds_nothing() -> None:
    room = Room()
    room.note(1.0, {"a", "b"}, {"a"})
    room.note(2.0, {"a", "b"}, {"a", "b"})
    room.note(3.0, {"a"}, {"a", "b"})
    room.note(4.0, {"a", "c"}, {"a"})
    room.note(5.0, set(), set())
    room.note(6.0, {"c"}, set())
    room.note(7.0, {"c"}, {"c"})
    assert room.without == [(2.0, 4.0), (5.0, 6.0)]


def test_spans_count_as_far_as_they_lie_between() -> None:
    spans = [(0.0, 1.0), (2.0, 4.0), (5.0, 6.0)]
    assert together(3.0, 5.5, spans) == 1.5
    assert together(4.0, 5.0, spans) == 0.0
