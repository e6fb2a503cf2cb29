"""Switches in the address, as A1111's clients write them."""

from typing import Annotated

from fastapi import Query

Switch = Annotated[str, Query(max_length=8)]

_YES = ("1", "true", "yes", "on")


def says_yes(said: str) -> bool:
    """What pydantic takes for true; all else is not, and no error."""
    return said.strip().lower() in _YES
