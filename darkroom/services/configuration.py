"""The environment -> settings; what is wrong with it is said in one line that holds no value."""

import re
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

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
        # The first part alone: below it come keys of mappings, and those may be secrets, too.
        raise ConfigurationError(f"{_variable(str(first['loc'][0]))}: {first['msg']}") from None
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        raise ConfigurationError(f"{_variable(field[1] if field else '')}: must be a JSON object") from None


def _variable(field: str) -> str:
    return PREFIX + field.upper()
