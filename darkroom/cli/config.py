"""Settings as the environment of a child process."""

import json
from typing import Any

from pydantic import SecretStr

from darkroom.services.configuration import PREFIX
from darkroom.settings import Settings


def as_environment(settings: Settings) -> dict[str, str]:
    """Variables that give a child process the same settings: those that differ from the defaults."""
    changed = settings.model_dump(exclude_defaults=True)
    return {f"{PREFIX}{name.upper()}": _plain(value) for name, value in changed.items() if value is not None}


def _plain(value: Any) -> str:
    told = _told(value)
    return json.dumps(told) if isinstance(told, dict | list) else str(told)


def _told(value: Any) -> Any:
    """As JSON has it, secrets in the clear: a child is to know them."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {name: _told(item) for name, item in value.items()}
        case tuple():
            return [_told(item) for item in value]
        case None | bool() | int() | float():
            return value
    return str(value)
