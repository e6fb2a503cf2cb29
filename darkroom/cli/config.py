"""Settings as the environment of a child process."""

import json
from typing import Any

from darkroom.services.configuration import PREFIX
from darkroom.settings import Settings
from darkroom.settings.telling import told


def as_environment(settings: Settings) -> dict[str, str]:
    """Variables that give a child process the same settings: those that differ from the defaults."""
    changed = settings.model_dump(exclude_defaults=True)
    return {f"{PREFIX}{name.upper()}": _plain(value) for name, value in changed.items() if value is not None}


def _plain(value: Any) -> str:
    plain = told(value)
    return json.dumps(plain) if isinstance(plain, dict | list) else str(plain)
