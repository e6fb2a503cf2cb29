"""Settings for a command: the environment, and over it what the command line says."""

from typing import Any

from pydantic import SecretStr, ValidationError

from darkroom.errors import ConfigurationError
from darkroom.settings import Settings

PREFIX = "DARKROOM_"


def load_settings(**given: Any) -> Settings:
    """Settings of the environment; options that are None were not given.

    Raises: ConfigurationError naming the first variable that is wrong, without its value: it may be a secret.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{PREFIX}{path.upper()}: {first['msg']}") from None


def as_environment(settings: Settings) -> dict[str, str]:
    """Variables that give a child process the same settings: those that differ from the defaults."""
    changed = settings.model_dump(exclude_defaults=True)
    return {f"{PREFIX}{name.upper()}": _plain(value) for name, value in changed.items() if value is not None}


def _plain(value: Any) -> str:
    import json

    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return json.dumps({name: str(item) for name, item in value.items()})
    return str(value)
