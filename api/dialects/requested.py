"""A request in our own words from the fields that an adapter settled, and what is wrong with it in the caller's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from darkroom.contract.generation import GenerationRequest
from darkroom.errors import InvalidField, UrlError

_GENERATION: TypeAdapter[GenerationRequest] = TypeAdapter(GenerationRequest)


def requested(fields: Mapping[str, Any], names: Mapping[str, str] | None = None) -> GenerationRequest:
    """`fields` validated as strictly as our own API does; None is a field left out.

    `names`: our fields by the dialect's names, for the errors. Raises: RequestValidationError, whose locations begin
    with `body`.
    """
    told = {name: value for name, value in fields.items() if value is not None}
    try:
        return _GENERATION.validate_python(_as_tuples(told))
    except ValidationError as error:
        findings = error.errors(include_url=False, include_input=False, include_context=False)
        placed = [{**found, "loc": _place(found["loc"], names or {})} for found in findings]
        raise RequestValidationError(placed) from None


@contextmanager
def in_words_of(names: Mapping[str, str]) -> Iterator[None]:
    """Whatever is refused within names the dialect's fields: what planner and readers of pictures find is ours."""
    try:
        yield
    except (InvalidField, UrlError) as error:
        if error.field:
            first, dot, rest = error.field.partition(".")
            name = names.get(first, first)
            shared = list(names.values()).count(name) > 1  # as both sides are one size there
            if shared and error.detail.startswith("must "):
                error.detail = f"{first} {error.detail}"
            error.field = f"{name}{dot}{rest}"
        raise


def _as_tuples(value: Any) -> Any:
    """Strict models want tuples where JSON has lists."""
    match value:
        case dict():
            return {name: _as_tuples(item) for name, item in value.items()}
        case list() | tuple():
            return tuple(_as_tuples(item) for item in value)
    return value


def _place(location: tuple[int | str, ...], names: Mapping[str, str]) -> tuple[int | str, ...]:
    """In front of every location stands the task that pydantic took."""
    if len(location) < 2:
        return ("body", "task")
    first, *rest = location[1:]
    return ("body", names.get(str(first), first), *rest)
