"""Numbers that are typed: JSON, in which they are sent, knows no NaN and no infinity."""

import math

import typer


def finite(words: str) -> float:
    """Raises: ValueError for what is no number, and for NaN and infinity."""
    number = float(words)
    if not math.isfinite(number):
        raise ValueError(f"{words!r} is no finite number")
    return number


def finite_option(number: float | None) -> float | None:
    """For typer to ask of an option. Raises: typer.BadParameter."""
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter(f"{number} is no finite number")
    return number
