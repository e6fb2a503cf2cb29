import pytest

from api import strict_json
from darkroom.errors import InvalidField, MalformedBody


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"prompt": "a", "seed": 7, "on": true, "off": null}', {"prompt": "a", "seed": 7, "on": True, "off": None}),
        ('"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ("[1, [2.5, 1e300]]", [1, [2.5, 1e300]]),
        ("[" * 31 + "]" * 31, eval("[" * 31 + "]" * 31)),
    ],
)
def test_json_is_read_as_it_is(text: str, value: object) -> None:
    assert strict_json.parse(text.encode()) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} {"b": 2}',
        b"\xff",
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"[" * 33 + b"]" * 33,
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
        b"[" + b"0," * 10_000 + b"0]",
        b'"\x00"',
    ],
)
def test_what_is_not_json_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedBody):
        strict_json.parse(data)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"seed": 1, "seed": 2}', "seed"),
        ('{"a": {"b": 1, "c": 2, "b": 3}}', "a.b"),
        ('{"a": [{"b": 1, "b": 3}]}', "a.0.b"),
        (f'{{"seed": {"1" * 5000}}}', "seed"),
        (f'{{"seed": -{"1" * 5000}}}', "seed"),
        ('{"guidance_scale": NaN}', "guidance_scale"),
        ('{"a": [0, -Infinity]}', "a.1"),
        ('{"a": 1e999}', "a"),
        ('{"prompt": "\\ud800"}', "prompt"),
        ('{"prompt": "\\ude00\\ud83d"}', "prompt"),
        ('{"\\ud800": 1}', "?"),
        ('{"<script>": NaN}', "?"),
        (f'{{"{"k" * 65}": NaN}}', "?"),
    ],
)
def test_what_has_no_one_meaning_is_refused_with_its_field(text: str, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        strict_json.parse(text.encode())
    assert refused.value.field == field


@pytest.mark.parametrize(("text", "value"), [("7.0", 7), ("-3e2", -300), ("0.0", 0), ("2.5", 2.5), ("1e300", 1e300)])
def test_a_whole_number_is_whole_however_it_is_spelled(text: str, value: float) -> None:
    found = strict_json.parse(text.encode())
    assert (found, type(found)) == (value, type(value))
