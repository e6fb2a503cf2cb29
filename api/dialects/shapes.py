"""How errors look: as problem documents, but below the paths of a dialect as its own clients read them."""

from collections.abc import Callable, Mapping

from starlette.responses import Response

from api import problems
from api.problems import Problem

Shape = Callable[[Problem, Mapping[str, str]], Response]


class Shapes:
    """`by_prefix`: the shape of everything whose path begins so."""

    def __init__(self, by_prefix: Mapping[str, Shape]) -> None:
        self._by_prefix = dict(by_prefix)

    def answer(self, path: str, described: Problem, headers: Mapping[str, str] | None = None) -> Response:
        """The error as whoever asks at `path` expects it."""
        for prefix, shape in self._by_prefix.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                return shape(described, headers or {})
        return problems.answer(described, headers)
