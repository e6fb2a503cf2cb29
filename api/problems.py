"""The one shape of every error answer: RFC 9457 problem details, with a stable `code`."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from darkroom.errors import DarkroomError

MEDIA_TYPE = "application/problem+json"
DOCUMENTATION = "/docs/errors"
MOST_FIELDS = 20  # that are told where more are wrong


class FieldProblem(BaseModel):
    """One field that is wrong; `field` is its dotted path in the request, or a header's name."""

    field: str
    detail: str


class Problem(BaseModel):
    """What went wrong. Match on `code`, show `detail`; the request itself is never repeated here."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="where the code is explained, relative to this service")
    title: str
    status: int = Field(ge=400, le=599)
    code: str = Field(description="stable, for programs")
    detail: str = Field(description="for people")
    retryable: bool = Field(default=False, description="whether the same request may succeed later, unchanged")
    field: str | None = Field(default=None, description="the first field that is wrong")
    errors: list[FieldProblem] | None = Field(default=None, description="every field that is wrong, where several are")
    incident: str | None = Field(default=None, description="names the log lines of an internal error")
    ended_job: SkipJsonSchema[bool] = Field(default=False, exclude=True)  # for shapes: as of `DarkroomError`


def problem(code: str, status: int, detail: str, *, title: str | None = None) -> Problem:
    return Problem(
        type=f"{DOCUMENTATION}#{code}",
        title=title or code.replace("_", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        retryable=status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE),
    )


def problem_of(error: DarkroomError) -> Problem:
    """The problem an error of ours stands for."""
    described = problem(error.code, error.status, error.detail)
    told = {"retryable": error.retryable, "field": getattr(error, "field", None), "ended_job": error.ended_job}
    return described.model_copy(update=told)


def answer(described: Problem, headers: Mapping[str, str] | None = None) -> Response:
    body = described.model_dump_json(exclude_none=True).encode()
    return Response(body, described.status, headers=headers, media_type=MEDIA_TYPE)
