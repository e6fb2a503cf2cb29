"""How routes say which problems they answer with, for OpenAPI."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from api.problems import MEDIA_TYPE, problem
from darkroom.errors import DarkroomError

# What a status is worth little without.
_HEADERS = {
    401: ("WWW-Authenticate", "how to say who you are"),
    429: ("Retry-After", "seconds after which to try again"),
    503: ("Retry-After", "seconds after which to try again"),
}

Responses = dict[int | str, dict[str, Any]]


def problems(*errors: type[DarkroomError]) -> Responses:
    """Responses for these errors, one a status, each code with an example."""
    by_status: dict[int, list[type[DarkroomError]]] = defaultdict(list)
    for error in errors:
        by_status[error.status].append(error)
    return {status: problem_response(status, [error.code for error in found]) for status, found in by_status.items()}


def problem_response(status: int, codes: list[str]) -> dict[str, Any]:
    examples = {
        code: {"value": problem(code, status, "what went wrong, in words").model_dump(exclude_none=True)}
        for code in codes
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    described = {"description": " or ".join(codes), "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}}}
    if status in _HEADERS:
        name, words = _HEADERS[status]
        described["headers"] = headers_described({name: words})
    return described


def headers_described(headers: Mapping[str, str]) -> dict[str, Any]:
    """OpenAPI's way to say name -> meaning."""
    return {name: {"description": words, "schema": {"type": "string"}} for name, words in headers.items()}
