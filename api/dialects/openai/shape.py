"""Errors as OpenAI's SDKs read them, which try again twice on 408, 409, 429 and everything from 500 on.

Those in Python and JavaScript heed `x-should-retry` before that. The AI SDK, LiteLLM and others go by the status alone,
so that how a job ended is a 422 to them all: two more jobs would be made otherwise, and come to the same.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from api.problems import Problem
from darkroom.errors import GenerationBlocked, InvalidField, RateLimited, RequestError, Unauthenticated, UnknownModel

# What our fields are called in requests of this dialect. The names that one caller used are put in before.
NAMES: Mapping[str, str] = {"width": "size", "height": "size"}
# SDKs choose their error's class by status, and programs match on these codes.
_CODES: Mapping[str, str] = {
    InvalidField.code: "invalid_value",
    UnknownModel.code: "model_not_found",
    Unauthenticated.code: "invalid_api_key",
    RateLimited.code: "rate_limit_exceeded",
    GenerationBlocked.code: "moderation_blocked",
}
_SAY_AGAIN = "x-should-retry"


def shape(described: Problem, headers: Mapping[str, str]) -> Response:
    """A final error is not to be tried again: that would only be more work, or the same."""
    final = described.ended_job or not described.retryable
    told = {_SAY_AGAIN: "false"} if final else {}
    return JSONResponse({"error": body_of(described)}, status_of(described), headers={**headers, **told})


def status_of(described: Problem) -> int:
    if described.code == UnknownModel.code:
        return 404
    if described.ended_job and _tried_again(described.status):
        return 422
    return 400 if described.status == RequestError.status else described.status


def _tried_again(status: int) -> bool:
    return status in (408, 409, 429) or status >= 500


def body_of(described: Problem) -> dict[str, Any]:
    """The `error` of an answer or of a stream's last event. `darkroom_code` is ours, of docs/errors.md."""
    field = described.field
    first, dot, rest = (field or "").partition(".")
    return {
        "message": _message(described),
        "type": _type_of(described),
        "param": f"{NAMES.get(first, first)}{dot}{rest}" if field else None,
        "code": _CODES.get(described.code, described.code),
        "darkroom_code": described.code,
    }


def _message(described: Problem) -> str:
    """Several wrong fields are told by name; so is one whose detail does not begin with it. SDKs show nothing else, so
    that an incident has to be here as well."""
    if described.incident:
        return f"{described.detail}: {described.incident}"
    if described.errors:
        return "; ".join(f"{each.field}: {each.detail}" for each in described.errors)
    if described.field is None or described.detail.startswith(f"{described.field}: "):
        return described.detail
    return f"{described.field}: {described.detail}"


def _type_of(described: Problem) -> str:
    if described.code == GenerationBlocked.code:
        return "image_generation_user_error"
    if described.status == 429:
        return "rate_limit_error"
    return "server_error" if described.status >= 500 else "invalid_request_error"
