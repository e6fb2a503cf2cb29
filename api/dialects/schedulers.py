"""Schedulers by the names of diffusers' classes, which protocols around it use."""

from collections.abc import Mapping
from types import MappingProxyType

from darkroom.catalog import SCHEDULERS
from darkroom.catalog.schedulers import OF_DIFFUSERS
from darkroom.errors import UnknownScheduler
from darkroom.errors.near import unknown

_MOST_CHARS = 64
NONE: Mapping[str, str] = MappingProxyType({})


def scheduler_named(said: str, field: str, others: Mapping[str, str] = NONE) -> str:
    """Our name of a scheduler that is named by it, by its class, or by one of `others`, whose keys are lower case.

    Raises: UnknownScheduler.
    """
    name = said.strip().lower()
    known = {**{our: our for our in SCHEDULERS}, **_CLASSES, **others}
    found = known.get(name) or known.get(f"{name}scheduler")
    if found is None:
        raise UnknownScheduler(field, unknown("scheduler", said[:_MOST_CHARS], sorted({*SCHEDULERS, *OF_DIFFUSERS})))
    return found


_CLASSES = {name.lower(): our for name, our in OF_DIFFUSERS.items()}
