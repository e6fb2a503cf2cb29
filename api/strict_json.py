"""JSON without the liberties of Python's reader: one meaning for every text, or none."""

import json
import math
import re
from collections import Counter
from typing import Any

from api.errors import field_path
from darkroom.errors import InvalidField, MalformedBody

MAX_DEPTH = 32
MAX_VALUES = 10_000
MAX_DIGITS = 400  # no double has more, and Python refuses to read many more
_SURROGATE = re.compile("[\ud800-\udfff]")

Path = tuple[str | int, ...]


def parse(data: bytes) -> Any:
    """Read UTF-8 JSON.

    Raises:
        MalformedBody: not UTF-8, not JSON, nested too deep, or too many values.
        InvalidField: a key twice in one object, NaN, an infinity (also one spelled 1e999),
            a number of more than MAX_DIGITS digits, or half a surrogate pair.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_object, parse_float=_number, parse_int=_integer)
    except UnicodeDecodeError:
        raise MalformedBody("the body is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedBody(f"the body is not JSON: line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise MalformedBody(f"the body is nested deeper than {MAX_DEPTH} levels") from None
    _inspect(value)
    return value


def _number(text: str) -> float | int:
    """JSON has one kind of number: 7.0 is 7, and whole numbers that doubles hold exactly may be spelled either way."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _integer(text: str) -> "int | _TooLong":
    return int(text) if len(text) <= MAX_DIGITS else _TooLong()


class _TooLong:
    """In the place of a number with too many digits, until it is known where that is."""


class _Doubled(dict[str, Any]):
    """An object with a key in it twice, until it is known where that is."""

    twice: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    times = Counter(key for key, _ in pairs)
    doubled = _Doubled(result)
    doubled.twice = next(key for key in times if times[key] > 1)
    return doubled


def _inspect(root: Any) -> None:
    """Walk the value without recursion and refuse what no later stage should have to think about."""
    pending: list[tuple[Path, Any]] = [((), root)]
    seen = 0
    while pending:
        path, value = pending.pop()
        seen += 1
        if len(path) >= MAX_DEPTH and isinstance(value, dict | list):
            raise MalformedBody(f"the body is nested deeper than {MAX_DEPTH} levels")
        if seen > MAX_VALUES:
            raise MalformedBody(f"the body holds more than {MAX_VALUES} values")
        if isinstance(value, _Doubled):
            raise InvalidField(field_path((*path, value.twice)), "the key appears more than once")
        _inspect_scalar(path, value)
        pending.extend(_children(path, value))


def _children(path: Path, value: Any) -> list[tuple[Path, Any]]:
    match value:
        case dict():
            return [((*path, key), item) for key, item in value.items()]
        case list():
            return [((*path, index), item) for index, item in enumerate(value)]
    return []


def _inspect_scalar(path: Path, value: Any) -> None:
    if path and isinstance(path[-1], str) and _SURROGATE.search(path[-1]):
        raise InvalidField(field_path(path), "a key must be valid Unicode without lone surrogates")
    if isinstance(value, str) and _SURROGATE.search(value):
        raise InvalidField(field_path(path), "text must be valid Unicode without lone surrogates")
    if isinstance(value, _TooLong):
        raise InvalidField(field_path(path), f"a number may have {MAX_DIGITS} digits")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidField(field_path(path), "must be a finite number")
