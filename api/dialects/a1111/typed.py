"""Fields of a body by their type. What a caller left out, or sent as null, has the default; what is empty is empty,
also a list where an object belongs, since some languages cannot tell them apart. A number may be sent as text, which
the original takes, and so do forms and bots."""

import re
from collections.abc import Mapping
from typing import Any

from darkroom.contract.generation import MAX_PROMPT_CHARS
from darkroom.errors import InvalidField

Body = Mapping[str, Any]

_NUMERAL = re.compile(r"[+-]?[0-9]{1,20}(?P<share>\.[0-9]{1,20})?", re.ASCII)
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def numeral(value: Any) -> Any:
    """The number that a text says; anything else as it is."""
    if isinstance(value, str) and (found := _NUMERAL.fullmatch(value)):
        return float(value) if found["share"] else int(value)
    return value


def text_of(body: Body, field: str, default: str = "") -> str:
    """Raises: InvalidField, here and below, for another type."""
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, str):
        raise InvalidField(field, "must be text")
    if len(value) > 2 * MAX_PROMPT_CHARS:
        raise InvalidField(field, f"may have {MAX_PROMPT_CHARS} characters")
    return value


def whole_of(body: Body, field: str, default: int) -> int:
    value = numeral(body.get(field))
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidField(field, "must be a whole number")
    return value


def number_of(body: Body, field: str, default: float) -> float:
    value = numeral(body.get(field))
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidField(field, "must be a number")
    return value


def flag_of(body: Body, field: str, *, default: bool = False) -> bool:
    """0 and 1 are flags too: clients send `inpainting_mask_invert` so."""
    value = body.get(field)
    if isinstance(value, str):
        value = _FLAGS.get(value.lower(), value)
    if value is None:
        return default
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise InvalidField(field, "must be true or false")


def object_of(body: Body, field: str) -> Body:
    value = body.get(field)
    if value in (None, "", []):
        return {}
    if not isinstance(value, dict):
        raise InvalidField(field, "must be an object")
    return value


def list_of(body: Body, field: str) -> list[Any]:
    value = body.get(field)
    if value in (None, "", {}):
        return []
    if not isinstance(value, list):
        raise InvalidField(field, "must be a list")
    return value
