"""The environment -> settings; what is wrong with it is said in one line that holds no value."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from darkroom.errors import ConfigurationError
from darkroom.settings import Settings

PREFIX = "DARKROOM_"
# Of commands that ask a service, of Compose, and of the shell's completion.
OF_OTHERS: Final = ("DARKROOM_URL", "DARKROOM_API_KEY", "DARKROOM_UID", "DARKROOM_GID", "DARKROOM_COMPLETE")
ALIKE: Final = 0.8  # of 1: a slip of the finger, and not another word
_COLLECTIONS: Final = ("dict_type", "tuple_type", "list_type")


class Fault(NamedTuple):
    """One variable, and what is wrong with it."""

    variable: str
    words: str


def load_settings(**given: Any) -> Settings:
    """Settings of the environment; options that are None were not given.

    Raises: ConfigurationError naming every variable that is wrong, without its value: it may be a secret.
    """
    if slips := list(misspelt(os.environ)):
        raise ConfigurationError(_in_one_line(slips))
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationError(_in_one_line(faults_of(error))) from None


def environment_faults(environment: Mapping[str, str]) -> list[Fault]:
    """All that is wrong with the environment of this process; its names are those of `environment`."""
    slips = list(misspelt(environment))
    try:
        Settings()
    except ValidationError as error:
        return [*slips, *faults_of(error)]
    return slips


def misspelt(environment: Mapping[str, str]) -> Iterator[Fault]:
    """Variables that are no setting and nearly one: what was meant by them would silently not hold."""
    for name in unknown(environment):
        if near := get_close_matches(name.removeprefix(PREFIX), map(str.upper, Settings.model_fields), 1, ALIKE):
            yield Fault(name, f"is no setting; {PREFIX}{near[0]} is")


def unknown(environment: Mapping[str, str]) -> Iterator[str]:
    """Variables that begin as ours do, and are nobody's."""
    known = {*map(variable, Settings.model_fields), *OF_OTHERS}
    return (name for name in sorted(environment) if name.startswith(PREFIX) and name not in known)


def faults_of(error: ValidationError) -> list[Fault]:
    """One a variable. Of a place the first part alone: below it come keys of mappings, and those may be secrets."""
    faults: dict[str, Fault] = {}
    for each in error.errors(include_url=False):
        name = variable(str(each["loc"][0]))
        unread = each["type"] in _COLLECTIONS and len(each["loc"]) == 1 and isinstance(each["input"], str)
        faults.setdefault(name, Fault(name, "must be JSON" if unread else each["msg"].removeprefix("Value error, ")))
    return list(faults.values())


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def _in_one_line(faults: list[Fault]) -> str:
    return "; ".join(f"{name}: {words}" for name, words in faults)
