"""Every error becomes a problem here, and nothing of the request or of our insides goes out with it."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from api.dialects.shapes import Shapes
from api.head import as_routed
from api.known_names import known_at
from api.patterns import DELIVERY_CURSOR_PATTERN, EVENT_ID_PATTERN, JOB_ID_PATTERN, KEY_PATTERN, MOMENT_PATTERN
from api.problems import MOST_FIELDS, FieldProblem, Problem, problem, problem_of
from darkroom.catalog import Catalog
from darkroom.contract.generation import NAME_PATTERN
from darkroom.errors import (
    CapacityError,
    DarkroomError,
    InvalidField,
    MethodNotAllowed,
    ModelError,
    NotFound,
    RequestError,
    Unauthenticated,
    UnavailableError,
)
from darkroom.errors.near import listed

MODEL_SECONDS = 30  # a checkpoint is mended by a person
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_FORMS = {
    NAME_PATTERN: "must be 1 to 64 of a-z, 0-9, dot, dash and underscore, and begin with a letter or a digit",
    KEY_PATTERN: "must be 1 to 255 visible ASCII characters",
    EVENT_ID_PATTERN: "must be the id of an event",
    JOB_ID_PATTERN: "must be the cursor of a page",
    DELIVERY_CURSOR_PATTERN: "must be the cursor of a page",
    MOMENT_PATTERN: "must be a moment with its zone, as 2026-11-29T16:00:00Z",
}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")


def install(app: FastAPI, shapes: Shapes) -> None:
    """Answer every error that a route or the router raises on purpose. Accidents are `api.boundary`'s."""

    async def answered(request: Request, error: Exception) -> Response:
        described, headers = _described(request, error)
        return shapes.answer(request.url.path, described, headers)

    for kind in (DarkroomError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answered)


def field_path(location: Sequence[str | int]) -> str:
    """The dotted path of a field. A name that the caller made up is shown only if it is short and plain."""
    return ".".join(piece if _PLAIN_NAME.fullmatch(piece) else "?" for piece in map(str, location))


def headers_of(error: DarkroomError) -> dict[str, str]:
    match error:
        case DarkroomError(ended_job=True):  # there is no time after which it is worth its work again
            return {}
        case CapacityError() | UnavailableError():
            return {"Retry-After": str(_spread(error.retry_after))}
        case ModelError():
            return {"Retry-After": str(_spread(MODEL_SECONDS))}
        case Unauthenticated():  # never Basic: browsers would ask for a key, and keep it for pages of others
            return {"WWW-Authenticate": 'Bearer realm="darkroom"'}
    return {}


def _spread(seconds: int) -> int:
    """At least `seconds`, and up to half as many more, so that all who were refused together do not come together."""
    return seconds + random.randint(0, max(1, seconds // 2))  # noqa: S311  no secret


def invalid_fields(errors: Sequence[Any]) -> Problem:
    """One problem for pydantic's findings; each location begins with where the value came from, which we drop."""
    found = [FieldProblem(field=field_path(error["loc"][1:]) or "body", detail=_words(error)) for error in errors]
    shown = found[:MOST_FIELDS]
    first = f"{shown[0].field}: {shown[0].detail}"  # clients of dialects, and most people, see no more than `detail`
    detail = first if len(found) == 1 else f"{len(found)} fields are wrong; {first}"
    described = problem(InvalidField.code, InvalidField.status, detail)
    return described.model_copy(update={"field": shown[0].field, "errors": shown if len(found) > 1 else None})


def _words(error: Any) -> str:
    """Pydantic's words, but for regular expressions, which people cannot be asked to read."""
    if error["type"] != "string_pattern_mismatch":
        return str(error["msg"])
    return next((words for pattern, words in _FORMS.items() if f"'{pattern}'" in error["msg"]), "is not well formed")


def _with_names(found: Any, catalog: Catalog) -> Any:
    """A name that is not even well formed, beside those there are: people try `Euler a` and `owner/model`."""
    known = known_at(found["loc"], catalog) if found["type"] == "string_pattern_mismatch" else None
    if known is None:
        return found
    return {**found, "type": "unknown_name", "msg": f"no such name; known: {listed(known)}"}


def _described(request: Request, error: Exception) -> tuple[Problem, Mapping[str, str]]:
    match error:
        case DarkroomError():
            return problem_of(error), headers_of(error)
        case RequestValidationError():
            catalog = request.app.state.services.catalog
            return invalid_fields([_with_names(found, catalog) for found in error.errors()]), {}
        case HTTPException(status_code=404):
            return problem_of(NotFound("no such path")), {}
        case HTTPException(status_code=405):
            methods = allowed_methods(request)
            return problem_of(MethodNotAllowed(f"this path answers {methods}")), {"Allow": methods}
    assert isinstance(error, HTTPException)
    described = problem(RequestError.code, error.status_code, "the request could not be served")
    return described, error.headers or {}


def allowed_methods(request: Request) -> str:
    """Every method this path answers: Starlette's own `Allow` names those of the first route on it only."""
    routes, path = request.app.router.routes, request.url.path
    return ", ".join(
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": as_routed(method, path)})[0] is Match.FULL for route in routes)
    )
