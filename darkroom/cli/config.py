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
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return json.dumps({name: str(item) for name, item in value.items()})
    return str(value)
