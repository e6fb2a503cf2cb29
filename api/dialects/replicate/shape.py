"""Errors as problems, which Replicate's are: `title`, `detail`, `status`. Its clients show the detail alone."""

from collections.abc import Mapping

from starlette.responses import Response

from api import problems
from api.problems import Problem


def shape(described: Problem, headers: Mapping[str, str]) -> Response:
    return problems.answer(described.model_copy(update={"detail": _words(described)}), headers)


def _words(described: Problem) -> str:
    """Every field that is wrong, as Replicate lists them."""
    if described.errors:
        return "\n".join(f"- {each.field}: {each.detail}" for each in described.errors)
    if described.field:
        return f"- {described.field}: {described.detail.removeprefix(f'{described.field}: ')}"
    return described.detail
