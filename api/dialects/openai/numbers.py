"""Values of the few fields that mean something here before the contract sees them."""

import re
from collections.abc import Mapping
from typing import Any

from darkroom.catalog.schedulers import most_steps
from darkroom.contract.model import ModelSpec
from darkroom.errors import InvalidField

MOST_IMAGES = 10
MOST_PARTIAL_IMAGES = 3
MOST_STEPS = 150
_GRID = 8
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")

# Steps of a picture, as a share of those that its model makes by default.
QUALITIES: Mapping[str, float] = {
    "low": 0.5,
    "medium": 1.0,
    "standard": 1.0,
    "auto": 1.0,
    "high": 1.5,
    "hd": 1.5,
    "xhigh": 2.0,
    "max": 3.0,
}
# What answers call them: the SDKs know no others.
_ANSWERED = {"standard": "medium", "auto": "medium", "hd": "high"}


def whole(body: Mapping[str, Any], field: str, least: int, most: int) -> int | None:
    """None where it is left out. Raises: InvalidField."""
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidField(field, f"must be a whole number from {least} to {most}")
    return value


def flag(body: Mapping[str, Any], field: str) -> bool:
    """Raises: InvalidField."""
    value = body.get(field)
    if value is not None and not isinstance(value, bool):
        raise InvalidField(field, "must be true or false")
    return bool(value)


def one_of(body: Mapping[str, Any], field: str, choices: tuple[str, ...]) -> str | None:
    """None where it is left out. Raises: InvalidField."""
    value = body.get(field)
    if value in (None, ""):
        return None
    if not isinstance(value, str) or value not in choices:
        raise InvalidField(field, f"must be one of {', '.join(choices)}")
    return value


def size_of(said: Any) -> tuple[int, int] | None:
    """(width, height); None where the model, or the picture to edit, settles it. Raises: InvalidField."""
    if said in (None, "", "auto"):
        return None
    found = _SIZE.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        raise InvalidField("size", "must be auto, or WIDTHxHEIGHT in pixels, as 1024x1024")
    width, height = int(found[1]), int(found[2])
    if width % _GRID or height % _GRID:
        raise InvalidField("size", f"width and height must be multiples of {_GRID}")
    return width, height


def steps_of(quality: str | None, spec: ModelSpec, scheduler: Any) -> int | None:
    """Steps of a quality; None for those that the model makes by default."""
    share = QUALITIES[quality or "auto"]
    if share == 1:
        return None
    named = scheduler if isinstance(scheduler, str) else spec.default_scheduler
    return max(1, min(round(spec.default_steps * share), most_steps(named) or MOST_STEPS, MOST_STEPS))


def answered(quality: str | None) -> str:
    """How an answer calls the quality that was asked for."""
    return _ANSWERED.get(quality or "auto", quality or "auto")
