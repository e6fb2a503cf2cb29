from collections.abc import Mapping

from starlette.responses import PlainTextResponse, Response

from api.dialects.shapes import Shapes
from api.problems import Problem, problem

SHAPED = problem("not_found", 404, "no such path")


def _plain(described: Problem, headers: Mapping[str, str]) -> Response:
    return PlainTextResponse(described.code, described.status, headers=dict(headers))


def test_errors_below_a_prefix_have_its_shape_and_all_others_are_problems() -> None:
    shapes = Shapes({"/v1": _plain})
    assert shapes.answer("/v1/models", SHAPED).body == b"not_found"
    assert shapes.answer("/v1", SHAPED, {"Retry-After": "2"}).headers["retry-after"] == "2"
    for path in ("/api/v1/generations", "/v1x", "/"):
        assert shapes.answer(path, SHAPED).media_type == "application/problem+json"
