import pytest
from starlette.datastructures import MutableHeaders

from api.dialects.remarks import HEADER, Remarks, tell
from darkroom.contract.plan import Notice
from darkroom.errors import InvalidField

NEUTRAL = {"tiling": (False,), "eta": (0, 0.0), "styles": ()}


def test_values_that_say_nothing_warn_nobody() -> None:
    remarks = Remarks()
    remarks.ignore({"tiling": False, "eta": 0, "styles": [], "other": 7}, NEUTRAL, "has no effect")
    remarks.ignore({"tiling": None, "eta": None, "styles": ""}, NEUTRAL, "has no effect")
    assert remarks.notices == ()


def test_a_value_without_effect_is_told_once_a_field() -> None:
    remarks = Remarks()
    remarks.ignore({"tiling": True, "eta": 0.5}, NEUTRAL, "has no effect")
    assert [notice.field for notice in remarks.notices] == ["tiling", "eta"]


def test_a_strict_service_refuses_instead() -> None:
    with pytest.raises(InvalidField) as refused:
        Remarks(strict=True).note("tiling", "has no effect")
    assert refused.value.field == "tiling"


def test_no_caller_can_make_endless_remarks() -> None:
    remarks = Remarks()
    for number in range(1000):
        remarks.note(f"field{number}", "has no effect")
    assert len(remarks.notices) < 20


def test_a_remark_cannot_break_out_of_its_header() -> None:
    headers = MutableHeaders()
    tell(headers, [Notice(field="prömpt", reason="no\r\nSet-Cookie: a=b, 100%")])
    assert headers.getlist(HEADER) == ["field=pr%C3%B6mpt; reason=no%0D%0ASet-Cookie: a=b, 100%25"]


def test_what_is_said_of_the_files_is_no_remark_on_the_request() -> None:
    headers = MutableHeaders()
    tell(headers, [Notice(field="watermark", reason="weak"), Notice(field="n", reason="no effect")])
    assert headers.getlist(HEADER) == ["field=n; reason=no effect"]


def test_remarks_leave_room_in_the_headers_that_a_proxy_holds() -> None:
    headers = MutableHeaders()
    tell(
        headers,
        [
            Notice(field="p", reason="\u65e5" * 100),
            Notice(field="q", reason="\u65e5" * 200),
            Notice(field="r", reason="no effect"),
        ],
    )
    assert [line[:7] for line in headers.getlist(HEADER)] == ["field=p"]
    assert sum(len(name) + len(value) + 4 for name, value in headers.raw) <= 2000
