"""How routes say which problems they answer with, for OpenAPI."""

from collections import defaultdict
from typing import Any

from api.problems import MEDIA_TYPE, problem
from darkroom.errors import DarkroomError

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
    return {"description": " or ".join(codes), "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}}}
