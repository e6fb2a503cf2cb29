"""Errors as the clients of Hugging Face read them: `{"error": words}`.

`@huggingface/inference` asks again after every 503, at once and without end. So a 503 is only what passes by itself,
and before there is any work: a model or a checker that a person has to mend is a 500, and so is however a job ended, or
its pictures would be made again and again.
"""

import json
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from api.problems import Problem
from darkroom.errors import BrokenWeights, MissingWeights, ModelError, SafetyUnavailable, UnknownModel

_STATUS: Final = {
    UnknownModel.code: 404,
    ModelError.code: 500,
    MissingWeights.code: 500,
    BrokenWeights.code: 500,
    SafetyUnavailable.code: 500,
}


def shape(described: Problem, headers: Mapping[str, str]) -> Response:
    told = {"error": _words(described), "code": described.code, "incident": described.incident}
    body = json.dumps({name: value for name, value in told.items() if value is not None}, ensure_ascii=False)
    return Response(body.encode(), _status_of(described), headers=headers, media_type="application/json")


def _status_of(described: Problem) -> int:
    if described.ended_job and described.status == 503:
        return 500
    return _STATUS.get(described.code, described.status)


def _words(described: Problem) -> str:
    """All that is wrong in one text: the clients show nothing else."""
    if described.errors:
        return "; ".join(f"{each.field}: {each.detail}" for each in described.errors)
    if described.field and not described.detail.startswith(f"{described.field}:"):
        return f"{described.field}: {described.detail}"
    return described.detail
